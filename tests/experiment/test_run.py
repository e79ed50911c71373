import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from shopguide.checks import parse_config
from shopguide.config import sortable_metrics
from shopguide.errors import DataError, RunError
from shopguide.experiment.evaluate import evaluate_run
from shopguide.experiment.run import run_experiment
from shopguide.inference.card import read_card
from shopguide.inference.predictor import Predictor
from shopguide.runs.store import open_store
from tests.conftest import Finished, tiny_settings

NEED, SEARCH = "shopguide.tasks.need.Need", "shopguide.tasks.search.Search"
PHASES = ["pretrain", "finetune need", "finetune features", "finetune relevance"]


def test_one_parent_a_child_a_phase(finished: Finished) -> None:
    children = finished.store.find_children(finished.run_id)
    assert [c.info.run_name for c in children] == PHASES
    assert {c.info.status for c in children} == {"FINISHED"}
    assert len(finished.store.client.search_runs([finished.store.experiment_id])) == 5


def test_curves_are_logged_by_step(finished: Finished) -> None:
    client = finished.store.client
    for child in finished.store.find_children(finished.run_id):
        names = ["train/loss", "train/lr", "train/grad_norm", "train/tokens_per_second", "train/waiting_share"]
        for name in names:
            points = client.get_metric_history(child.info.run_id, name)
            assert len(points) >= 3, (child.info.run_name, name)
            assert len({p.step for p in points}) == len(points)
        epochs = client.get_metric_history(child.info.run_id, "dev/loss")
        assert len(epochs) == 1
        assert epochs[0].step > 0
        assert child.data.metrics["kept/dev/loss"] == epochs[0].value


def test_all_that_it_was_made_with(finished: Finished) -> None:
    run = finished.store.client.get_run(finished.run_id)
    assert run.data.params["lr"] == "0.001"
    assert run.data.tags["seed"] == "0"
    assert run.data.tags["version.torch"]
    assert len(run.data.tags["fingerprint.data"]) == 16
    files = {f.path for f in finished.store.client.list_artifacts(finished.run_id)}
    assert {"config.json", "environment.txt"} <= files


def test_figures_and_models_of_each_phase(finished: Finished) -> None:
    client = finished.store.client
    for child in finished.store.find_children(finished.run_id):
        figures = {f.path for f in client.list_artifacts(child.info.run_id, "figures")}
        assert "figures/loss_curves.png" in figures
        if child.info.run_name != "pretrain":
            assert "figures/embedding_map.png" in figures
            assert any(f.startswith("figures/confusion_") for f in figures)
            assert any(f.startswith("figures/calibration_") for f in figures)
        folder = finished.store.artifact_folder(child.info.run_id, "model")
        assert list(folder.rglob("model.safetensors"))


def test_baselines_and_ceiling_stand_beside_the_model(finished: Finished) -> None:
    for child in finished.store.find_children(finished.run_id)[1:]:
        for name in ("test", "majority", "tfidf_lr", "ceiling"):
            assert 0 <= child.data.metrics[f"{name}/macro_f1"] <= 1
        assert child.data.metrics["ceiling/accuracy"] > child.data.metrics["majority/accuracy"]


def test_classifiers_are_as_sure_as_they_are_right_on_dev(finished: Finished) -> None:
    card = read_card(finished.store.task_model(finished.run_id, "features"))
    run = finished.store.task_runs(finished.run_id, "features")["features"]
    assert set(card.temperatures) == set(card.targets)
    assert 1.0 not in card.temperatures.values()
    logged = finished.store.client.get_run(run).data.metrics
    assert {name: logged[f"temperature/{name}"] for name in card.targets} == pytest.approx(card.temperatures)


def test_a_sweep_may_be_sorted_by_whatever_an_experiment_reaches(finished: Finished) -> None:
    reached = {name for name in finished.outcome.metrics if not name.endswith((".low", ".high"))}
    assert "need/macro_f1.low" in finished.outcome.metrics
    assert reached <= set(sortable_metrics(finished.config.phases, list(finished.config.tasks)))
    assert {"need/macro_f1", "relevance/ndcg_at_10", "relevance/rmse"} <= reached


def test_checkpoints_are_bounded(finished: Finished) -> None:
    for child in finished.store.find_children(finished.run_id):
        kept = {p.name for p in (finished.folder / "mlruns" / "checkpoints" / child.info.run_id).iterdir()}
        assert kept <= {"best.ckpt", "last.ckpt", "precision.txt"}


def test_evaluate_repeats_the_scores_of_training(finished: Finished) -> None:
    found = evaluate_run(finished.store, finished.run_id, None, finished.config.data, "test", 16)
    assert set(found) == {"need", "features", "relevance"}
    for child in finished.store.find_children(finished.run_id)[1:]:
        task = child.data.tags["task"]
        for name in ("accuracy", "macro_f1", "ece"):
            assert found[task][name]["value"] == pytest.approx(child.data.metrics[f"test/{name}"], abs=1e-6)
    bounds = found["need"]["accuracy"]
    assert bounds["low"] <= bounds["value"] <= bounds["high"]
    logged = finished.store.client.get_run(finished.store.task_runs(finished.run_id, "need")["need"]).data
    assert logged.metrics["evaluate/demo/test/accuracy"] == pytest.approx(bounds["value"])


def test_evaluate_every_row_there_is(finished: Finished) -> None:
    every = evaluate_run(finished.store, finished.run_id, "features", finished.config.data, "all", 64)
    assert every["features"]["examples"] == 150
    parts = [
        evaluate_run(finished.store, finished.run_id, "features", finished.config.data, split, 64)["features"][
            "examples"
        ]
        for split in ("train", "dev", "test")
    ]
    assert sum(parts) == 150


def test_a_finished_experiment_resumed_repeats_nothing(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    again = run_experiment(parse_config(tiny_settings(finished.folder, resume=finished.run_id)))
    assert again.run_id == finished.run_id
    assert again.metrics == pytest.approx(finished.outcome.metrics)
    told = capsys.readouterr().out
    assert all(f"{phase}: finished before" in told for phase in PHASES)
    assert told.splitlines()[-1] == f"run_id={finished.run_id}"


def test_resume_with_other_settings_is_refused(finished: Finished) -> None:
    with pytest.raises(RunError, match=r"made with other settings \(.*seed: 0 → 1"):
        run_experiment(parse_config(tiny_settings(finished.folder, resume=finished.run_id, seed=1)))
    assert finished.store.client.get_run(finished.run_id).info.status == "FINISHED"


def test_the_same_seed_gives_the_same_model(finished: Finished, tmp_path: Path) -> None:
    changes = {"tasks": {"need": tiny_settings(tmp_path)["tasks"]["need"]}, "finetune.baselines": False}
    settings = tiny_settings(tmp_path, **changes) | {"tracking": {**tiny_settings(tmp_path)["tracking"]}}
    settings["data"]["cache_dir"] = str(finished.folder / "cache")
    other = run_experiment(parse_config(settings))
    texts = ["手机", "red boots", ""]
    first, second = (
        Predictor.load(store.task_model(run, "need")).posterior(texts)["category"]
        for store, run in ((finished.store, finished.run_id), (_store(tmp_path), other.run_id))
    )
    np.testing.assert_allclose(first, second, atol=1e-6)


def _store(folder: Path) -> object:
    from shopguide.runs.store import open_store

    return open_store(None, "shopguide", folder / "mlruns")


def test_records_without_the_labels_of_a_task(tmp_path: Path) -> None:
    from tests.records.shops import PRODUCTS, write_shop

    root = write_shop(tmp_path / "shop", PRODUCTS, [])
    own = {"data.name": "own", "data.reader": "files", "data.root": root, "data.options": {}}
    with pytest.raises(DataError, match=r"task `need`: expected at least 8 labelled training examples, found 0"):
        run_experiment(parse_config(tiny_settings(tmp_path, **own)))


def test_a_catalogue_alone_teaches_search_and_no_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.records.shops import write_shop

    products = [{"item_id": f"I{row}", "title": f"lamp of kind {row} for room {row % 7}"} for row in range(60)]
    root = write_shop(tmp_path / "shop", products, [])
    own = {"data.name": "own", "data.reader": "files", "data.root": root, "data.options": {}, "phases": ["finetune"]}
    tasks = {"need": {"target": NEED}, "search": {"target": SEARCH, "crops": ["title"]}}
    settings = tiny_settings(tmp_path, **own, tasks=tasks, on_missing_labels="leave_out")
    run = run_experiment(parse_config(settings))
    told = capsys.readouterr().out
    assert "left out: task `need`: expected at least 8 labelled training examples, found 0" in told
    assert "shopguide.serve run=" in told
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    assert list(store.task_runs(run.run_id, None)) == ["search"]
    settings["tasks"] = {"need": {"target": NEED}}
    with pytest.raises(DataError, match="data own: expected labels of one of the tasks need"):
        run_experiment(parse_config(settings))


def test_what_is_learnt_from_and_which_epoch_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_experiment(parse_config(tiny_settings(tmp_path, phases=["finetune"], epochs=2)))
    told = capsys.readouterr().out
    assert re.search(r"task need: \d+ train, \d+ dev, \d+ test; \d+ are few to choose an epoch by", told)
    assert re.search(r"task features: \d+ train, \d+ dev, \d+ test", told)
    assert re.search(r"finetune need  kept: epoch [12], the best by dev/macro_f1", told)


def test_every_epoch_of_whole_lists_is_validated(tmp_path: Path) -> None:
    loss = {"target": "shopguide.objectives.losses.listwise.Listwise"}
    settings = tiny_settings(tmp_path, phases=["finetune"], epochs=4, **{"finetune.loss": loss})
    settings["tasks"] = {"relevance": settings["tasks"]["relevance"]}
    run = run_experiment(parse_config(settings))
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    (phase,) = store.find_children(run.run_id)
    history = store.client.get_metric_history(phase.info.run_id, "dev/loss")
    steps = sorted(point.step for point in history)
    assert len({point.value for point in history}) == 4
    assert len({after - before for before, after in pairwise(steps)}) == 1
