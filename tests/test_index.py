import json
import shlex
from pathlib import Path

import pytest

from shopguide import index, predict
from tests.experiment.test_searched import Searched
from tests.records.shops import PRODUCTS, write_shop


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    return Searched(tmp_path_factory.mktemp("indexed"))


def run(module: object, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["shopguide", *arguments])
    module.main()  # type: ignore[attr-defined]


def test_another_shop_is_indexed_and_searched(
    searched: Searched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop, root = write_shop(tmp_path / "shop"), f"tracking.root={searched.config.tracking.root}"
    place = f"output={tmp_path / 'my index'}"
    run(index, monkeypatch, "run=latest", root, place, "data=files", f"data.root={shop}", f"data.cache_dir={tmp_path}")
    told, typed = capsys.readouterr().out.splitlines()
    assert "3 products × 16" in told
    run(predict, monkeypatch, *shlex.split(typed)[3:])
    assert len(json.loads(capsys.readouterr().out)["items"]) == 3
    run(predict, monkeypatch, "run=latest", root, "task=search", f"index={tmp_path / 'my index'}", "text=boots")
    answer = json.loads(capsys.readouterr().out)
    assert {item["item_id"] for item in answer["items"]} == {product["item_id"] for product in PRODUCTS}


def test_mistakes_are_told(
    searched: Searched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = f"tracking.root={searched.config.tracking.root}"
    with pytest.raises(SystemExit):
        run(predict, monkeypatch, "run=latest", root, "task=search", f"index={tmp_path}", "text=boots")
    assert "expected a folder that `python -m shopguide.index` made" in capsys.readouterr().err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(SystemExit):
        run(index, monkeypatch, "run=latest", root, f"output={tmp_path / 'mine'}")
    assert "expected no " in capsys.readouterr().err
