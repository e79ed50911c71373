"""The command, and its page in a real headless Chromium."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shopguide import compare
from shopguide.runs.store import open_store
from tests.experiment.test_comparing import swept

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    swept(open_store(None, "shopguide", root), "sweep over lr, epochs, seed")
    return root


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["compare", *arguments])
    compare.main()


def test_a_table_and_a_page(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "手机 runs.html"
    run(monkeypatch, f"tracking.root={runs}", "metric=need/macro_f1", f"output={page}")
    told = capsys.readouterr().out
    assert "sweep over lr, epochs, seed" in told
    assert "4 settings by need/macro_f1" in told
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["output=/nowhere/at/all.html"], "output=/nowhere/at/all.html: expected a file in a folder that is there"),
        (["filter="], "expected something, found nothing"),
        (["runs=[]"], "expected something, found nothing"),
        (["metric=accuracy"], "metric=accuracy: none of the 12 runs has it"),
        (["runs=abcdef", "filter=x"], "runs and filter: set one of the two"),
        (["metrics=x"], "metrics: no such setting"),
    ],
)
def test_mistakes_are_told(
    words: list[str], message: str, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, f"tracking.root={runs}", *words)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_the_notebook_runs(tmp_path: Path) -> None:
    swept(open_store(None, "shopguide", tmp_path / "mlruns"), "sweep over lr, epochs, seed")
    cells = json.loads((ROOT / "notebooks" / "compare_runs.ipynb").read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "{'epochs': '2', 'lr': '3e-4'} 0.6833"
    assert all((tmp_path / name).stat().st_size > 5000 for name in ("grid.png", "curves.png", "comparison.html"))


@pytest.mark.browser
def test_the_page_opens_offline_and_sorts(
    runs: Path, tmp_path: Path, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "comparison.html"
    run(monkeypatch, f"tracking.root={runs}", "metric=need/macro_f1", f"output={page}")
    browser.get_log("browser")  # of what was open before
    browser.get("about:blank")
    browser.set_network_conditions(offline=True, latency=0, throughput=0)
    browser.get(page.as_uri())
    assert browser.get_log("browser") == []
    pictures = browser.find_elements("tag name", "img")
    assert len(pictures) == 4
    assert all(browser.execute_script("return arguments[0].naturalWidth", picture) > 300 for picture in pictures)

    def first_column() -> list[str]:
        return [cell.text for cell in browser.find_elements("css selector", "tbody td:first-child")]

    assert first_column() == ["2", "1", "2", "1"]
    browser.find_element("css selector", "th:first-child").click()
    assert first_column() == ["1", "1", "2", "2"]
    browser.find_element("css selector", "th:first-child").click()
    assert first_column() == ["2", "2", "1", "1"]
