import json
from pathlib import Path

import pytest

from shopguide import evaluate, predict, register
from shopguide.checks import parse_config
from shopguide.experiment.run import run_experiment
from tests.conftest import Finished, served, tiny_settings


def run(module: object, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["shopguide", *arguments])
    module.main()  # type: ignore[attr-defined]


def test_a_champion_answers_and_is_scored(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = f"tracking.root={finished.folder / 'mlruns'}"
    run(register, monkeypatch, root, f"run={finished.run_id}", "task=need")
    card, name, typed = capsys.readouterr().out.rstrip().rsplit("\n", 2)
    assert name == f"shopguide-need version 1 is champion: run {finished.run_id}"
    phase = finished.store.task_runs(finished.run_id, "need")["need"]
    metrics = finished.store.client.get_run(phase).data.metrics
    low, high = (metrics[f"test/macro_f1.{end}"] for end in ("low", "high"))
    assert f"| test/macro_f1 | {metrics['test/macro_f1']:.4f} | {low:.3f} – {high:.3f} |" in card
    for told in (
        "# shopguide-need",
        "TF-IDF + LR",
        finished.run_id,
        "`data=demo`",
        "classes (",
        "commit",
        "random weights",
    ):
        assert told in card, told
    leak = finished.store.client.get_run(finished.run_id).data.metrics["leak/need/test_in_train"]
    assert f"- {leak:.1%} of the test texts also stand in what was read for fine-tuning." in card
    assert "relevance" not in card
    assert "None" not in card
    assert finished.store.artifact_folder(phase, "model_card.md").read_text(encoding="utf-8").rstrip() == card.rstrip()

    run(predict, monkeypatch, root, typed.split()[3], "text=red boots")
    champion = json.loads(capsys.readouterr().out)
    run(predict, monkeypatch, root, f"run={finished.run_id}", "task=need", "text=red boots")
    assert champion == json.loads(capsys.readouterr().out)
    run(evaluate, monkeypatch, root, "run=models:/shopguide-need@champion", "split=test")
    assert list(json.loads(capsys.readouterr().out)) == ["need"]


def test_the_same_model_stays_one_version_under_several_aliases(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"tracking.root={finished.folder / 'mlruns'}", "task=features", "name=mine", f"run={finished.run_id}"]
    for alias in ("champion", "challenger"):
        run(register, monkeypatch, *words, f"alias={alias}")
        assert f"mine version 1 is {alias}" in capsys.readouterr().out
    assert finished.store.task_model("models:/mine/1", None) == finished.store.task_model(finished.run_id, "features")


@pytest.mark.slow
def test_through_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    words = "--backend-store-uri", f"sqlite:///{tmp_path}/server.db", "--artifacts-destination", str(tmp_path / "kept")
    with served("server", *words, "--workers", "1") as place:
        settings = tiny_settings(tmp_path, phases=["finetune"], **{"tracking.uri": place})
        settings["tasks"] = {"need": settings["tasks"]["need"]}
        run_experiment(parse_config(settings))
        run(register, monkeypatch, f"tracking.uri={place}", "run=latest")
        assert "shopguide-need version 1 is champion" in capsys.readouterr().out
        run(predict, monkeypatch, f"tracking.uri={place}", "run=models:/shopguide-need@champion", "text=boots")
        assert "label" in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["alias=latest"], "alias=latest: expected a word such as champion"),
        (["alias=v1"], "alias=v1: expected a word such as champion"),
        (["name=a/b"], "name=a/b: expected letters a to z"),
        (["alias='冠军'"], "alias=冠军: expected a word such as champion"),
        (["task=nothing"], "task=nothing: run "),
    ],
)
def test_names_that_the_registry_does_not_take(
    words: list[str],
    message: str,
    finished: Finished,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(register, monkeypatch, f"tracking.root={finished.folder / 'mlruns'}", f"run={finished.run_id}", *words)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (["run=models:/nobody@champion"], "run=models:/nobody@champion: expected models:/<name>@<alias>"),
        (["run=models:/mine@nobody"], "expected models:/<name>@<alias> or models:/<name>/<version>"),
        (["run=models:/mine@champion", "task=need"], "task=need: models:/mine@champion is a model of task `features`"),
    ],
)
def test_mistakes_are_told(
    place: list[str],
    message: str,
    finished: Finished,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = f"tracking.root={finished.folder / 'mlruns'}"
    run(register, monkeypatch, root, "task=features", "name=mine", f"run={finished.run_id}")
    with pytest.raises(SystemExit) as stopped:
        run(predict, monkeypatch, root, *place, "text=boots")
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
