import json
import re
import sys
from pathlib import Path

import pytest

from shopguide import evaluate, export, predict
from tests.conftest import Finished

pytest.importorskip("onnxscript")


def test_export_then_predict_then_evaluate(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(program: object, *words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["program", *words])
        program.main()  # type: ignore[attr-defined]
        return capsys.readouterr().out

    run = [f"run={finished.run_id}", f"tracking.root={finished.folder / 'mlruns'}", "task=features"]
    said = told(export, *run, f"output={tmp_path / 'small'}", "int8=true")
    assert "of the answers are the original's" in said
    answer = json.loads(told(predict, f"folder={tmp_path / 'small'}", "text=Red cotton shirt"))
    assert answer["label"].keys() == answer["posterior"].keys()
    scores = json.loads(told(evaluate, *run, f"folder={tmp_path / 'small'}", "split=test"))["features"]
    own = json.loads(told(evaluate, *run, "split=test"))["features"]
    assert scores["examples"] == own["examples"]
    assert scores["accuracy"]["value"] == pytest.approx(own["accuracy"]["value"], abs=0.2)
    assert f"python -m shopguide.evaluate {run[0]} task=features folder={tmp_path / 'small'}" in said
    other = ["task=need", f"folder={tmp_path / 'small'}"]
    for program, words in ((evaluate, [*run[:2], *other]), (predict, [*other, "text=Red cotton shirt"])):
        monkeypatch.setattr(sys, "argv", ["program", *words])
        with pytest.raises(SystemExit):
            program.main()
        assert "expected a model of task `need`, found one of `features`" in capsys.readouterr().err
    said = told(export, *run, f"output={tmp_path / 'checked'}", "int8=checked")
    assert re.search(r"of the dev split's texts, [\d.]+% are close calls, made again", said)
    checked = json.loads(told(evaluate, *run, f"folder={tmp_path / 'checked'}", "split=test"))["features"]
    assert checked["accuracy"]["value"] == pytest.approx(own["accuracy"]["value"], abs=0.02)
    metrics = finished.store.client.get_run(
        finished.store.task_runs(finished.run_id, "features")["features"]
    ).data.metrics
    assert "evaluate/demo/test/small/macro_f1" in metrics
    assert "evaluate/demo/test/macro_f1" in metrics


def test_mistakes_are_told(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(program: object, *words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["program", f"tracking.root={finished.folder / 'mlruns'}", *words])
        with pytest.raises(SystemExit) as stopped:
            program.main()  # type: ignore[attr-defined]
        assert stopped.value.code == 2
        return capsys.readouterr().err

    run = f"run={finished.run_id}"
    assert "output" in refused(export, run)
    assert "several tasks" in refused(export, run, f"output={tmp_path / 'out'}")
    (tmp_path / "file").write_text("x")
    assert "expected a folder, found a file" in refused(export, run, "task=need", f"output={tmp_path / 'file'}")
    assert "shopguide.json" in refused(predict, f"folder={tmp_path}", "text=a")
    assert "goes with task=" in refused(evaluate, run, f"folder={tmp_path}")
