import json
import sys
from pathlib import Path
from typing import Any

import pytest

from shopguide import predict
from tests.conftest import Finished
from tests.records.shops import write_lines


def told(finished: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    root = f"tracking.root={finished.folder / 'mlruns'}"
    monkeypatch.setattr(sys, "argv", ["predict", f"run={finished.run_id}", root, *words])
    predict.main()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_text(finished: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (answer,) = told(finished, monkeypatch, capsys, "task=need", "text=想买, 一双 'waterproof' boots=42")
    assert set(answer) == {"label", "posterior"}
    assert sum(answer["posterior"].values()) == pytest.approx(1, abs=1e-4)
    assert answer["label"] == max(answer["posterior"], key=answer["posterior"].get)


def test_a_pair(finished: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (answer,) = told(finished, monkeypatch, capsys, "task=relevance", "text=boots", "text_pair=Trail boot")
    assert set(answer["posterior"]) == {"irrelevant", "viewed", "bought"}


def test_a_file(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_lines(tmp_path / "in.jsonl", [{"title": "Red cotton shirt", "item_id": i} for i in range(3)])
    target = tmp_path / "out.jsonl"
    assert told(finished, monkeypatch, capsys, "task=features", f"input={source}", f"output={target}") == []
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [row["item_id"] for row in rows] == [0, 1, 2]
    assert {row["label"]["colour"] for row in rows} == {rows[0]["label"]["colour"]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["text=boots"], "several tasks; say which with task=…"),
        (["task=relevance", "text=boots"], "reads pairs: add text_pair='…'"),
        (
            ["task=need", "text=boots", "text_pair=x"],
            "task `need` reads one text (query); leave text_pair out",
        ),
        (["task=need", "text= "], "text=: expected words, found none"),
    ],
)
def test_a_mistake_is_told(
    words: list[str],
    message: str,
    finished: Finished,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stop:
        told(finished, monkeypatch, capsys, *words)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
