import json
import sys
from pathlib import Path

import pytest

from shopguide import evaluate
from shopguide.inference.load import load_model
from tests.conftest import Finished
from tests.records.shops import write_shop


def command(finished: Finished, *words: str) -> list[str]:
    return ["evaluate", f"run={finished.run_id}", f"tracking.root={finished.folder / 'mlruns'}", *words]


def test_metrics_with_intervals_as_json(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", command(finished, "split=dev", "task=need"))
    evaluate.main()
    told = capsys.readouterr()
    found = json.loads(told.out)
    accuracy = found["need"]["accuracy"]
    assert f"{accuracy['value']:.4f} │ {accuracy['low']:.3f} – {accuracy['high']:.3f}" in told.err
    assert 0 <= accuracy["low"] <= accuracy["value"] <= accuracy["high"] <= 1
    assert found["need"]["examples"] > 0


def test_ones_own_records_every_row(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_shop(tmp_path / "shop")
    monkeypatch.setattr(
        sys,
        "argv",
        command(
            finished,
            "data=files",
            f"data.root={root}",
            f"data.cache_dir={tmp_path}/cache",
            "split=all",
            "task=relevance",
        ),
    )
    evaluate.main()
    assert json.loads(capsys.readouterr().out)["relevance"]["examples"] >= 3


def test_labels_that_the_model_does_not_know(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = load_model(finished.store.task_model(finished.run_id, "features"))
    of_model = model.card.targets["category"][0]
    products = [
        {"item_id": f"I{i}", "title": f"Boot {i}", "category": f"other {i}" if i else of_model} for i in range(5)
    ]
    root = write_shop(tmp_path / "shop", products, [])
    words = ["data=files", f"data.root={root}", f"data.cache_dir={tmp_path}/cache", "split=all", "task=features"]
    monkeypatch.setattr(sys, "argv", command(finished, *words))
    evaluate.main()
    told = capsys.readouterr()
    assert json.loads(told.out)["features"]["accuracy/category"]["value"] <= 0.2
    assert "category: 4 of 5 labels (other 1, other 2, other 3, …) are unknown to the model, which knows" in told.err


def test_records_without_labels(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_shop(tmp_path / "shop", [{"item_id": "I1", "title": "Boot"}], [])
    monkeypatch.setattr(
        sys,
        "argv",
        command(finished, "data=files", f"data.root={root}", f"data.cache_dir={tmp_path}/cache", "split=all"),
    )
    with pytest.raises(SystemExit) as stop:
        evaluate.main()
    assert stop.value.code == 2
    assert "split=all: found no labelled example of need, features, relevance in" in capsys.readouterr().err


def test_where_there_are_labelled_examples(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    products = [{"item_id": f"I{i}", "title": "Boot", "category": "shoes", "split": "train"} for i in range(3)]
    root = write_shop(tmp_path / "shop", products, [])
    words = ["data=files", f"data.root={root}", f"data.cache_dir={tmp_path}/cache", "split=test", "task=features"]
    monkeypatch.setattr(sys, "argv", command(finished, *words))
    with pytest.raises(SystemExit):
        evaluate.main()
    assert "there are some in dev (split=all: all)" in capsys.readouterr().err
