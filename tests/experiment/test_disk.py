"""Sizes in thousands of bytes: each phase has checkpoints of 3 and a model of 1."""

from contextlib import suppress
from pathlib import Path

import pytest

from shopguide.errors import Pruned, RunError
from shopguide.experiment.disk import keep_within
from shopguide.runs.compare import sweep_table
from shopguide.runs.store import Store, open_store
from shopguide.runs.tree import open_run
from tests.conftest import served

SCORES = {"a": 0.9, "b": 0.5, "c": 0.7}
WHOLE = {
    *("a/pretrain/checkpoints", "a/pretrain/model", "a/finetune need/checkpoints", "a/finetune need/model"),
    *("b/finetune need/checkpoints", "b/finetune need/model", "c/finetune need/checkpoints", "c/finetune need/model"),
    "d/finetune need/checkpoints",
}


def phase(store: Store, root: Path, job: str, name: str, model: bool = True) -> None:
    tags = {"shopguide.kind": "phase", "shopguide.phase": name}
    with open_run(store, name, parent=job, tags=tags) as run:
        folder = root / "checkpoints" / run.id
        folder.mkdir(parents=True)
        (folder / "best.ckpt").write_bytes(bytes(1000))
        (folder / "last.ckpt").write_bytes(bytes(2000))
        if model:
            run.log_text("x" * 600, "model/artifacts/huggingface/model.safetensors")
            run.log_text("x" * 400, "model/MLmodel")


@pytest.fixture
def sweep(tmp_path: Path) -> tuple[Store, str]:
    """Jobs a, b, c that are done, and d that was given up; a has the pretraining that all share."""
    store, root = open_store(None, "shopguide", tmp_path), tmp_path
    with open_run(store, "sweep", tags={"shopguide.kind": "sweep"}) as own:
        for name, score in SCORES.items():
            with open_run(store, name, parent=own.id, tags={"shopguide.kind": "experiment"}) as job:
                if name == "a":
                    phase(store, root, job.id, "pretrain")
                phase(store, root, job.id, "finetune need")
                job.log_metrics({"dev/score": score})
        with suppress(Pruned), open_run(store, "d", parent=own.id, tags={"shopguide.kind": "experiment"}) as job:
            phase(store, root, job.id, "finetune need", model=False)
            raise Pruned("given up")
        return store, own.id


def kept(store: Store, sweep: str, root: Path) -> set[str]:
    found = set()
    for job in store.find_children(sweep):
        for run in store.find_children(job.info.run_id):
            name = f"{job.info.run_name}/{run.info.run_name}"
            if (root / "checkpoints" / run.info.run_id).exists():
                found.add(f"{name}/checkpoints")
            if store.client.list_artifacts(run.info.run_id, "model"):
                found.add(f"{name}/model")
    return found


@pytest.mark.parametrize(
    ("thousands", "gone"),
    [
        (19, set()),
        (18, {"d/finetune need/checkpoints"}),
        (13, {"d/finetune need/checkpoints", "b/finetune need/checkpoints"}),
        (4, {name for name in WHOLE if name.endswith("checkpoints")}),
        (3, {name for name in WHOLE if name.endswith("checkpoints") or name == "b/finetune need/model"}),
        (0.001, WHOLE - {"a/pretrain/model", "a/finetune need/model"}),
    ],
)
def test_the_best_keep_their_files(sweep: tuple[Store, str], tmp_path: Path, thousands: float, gone: set[str]) -> None:
    store, own = sweep
    assert kept(store, own, tmp_path) == WHOLE
    keep_within(store, own, "dev/score", tmp_path, thousands * 1000 / 1e9)
    assert WHOLE - kept(store, own, tmp_path) == gone
    keep_within(store, own, "dev/score", tmp_path, thousands * 1000 / 1e9)
    assert WHOLE - kept(store, own, tmp_path) == gone


def test_a_job_whose_model_was_removed_says_so(sweep: tuple[Store, str], tmp_path: Path) -> None:
    store, own = sweep
    keep_within(store, own, "dev/score", tmp_path, 1e-9)
    runs = {job.info.run_name: job.info.run_id for job in store.find_children(own)}
    assert store.task_model(runs["a"], "need").name == "huggingface"
    with pytest.raises(RunError, match=r"its model was removed to keep the sweep within sweep\.disk_gb"):
        store.task_model(runs["b"], "need")


def test_over_folds_models_stay_until_one_is_chosen(sweep: tuple[Store, str], tmp_path: Path) -> None:
    store, own = sweep
    keep_within(store, own, "dev/score", tmp_path, 1e-9, models=False)
    assert kept(store, own, tmp_path) == {name for name in WHOLE if name.endswith("model")}
    runs = {job.info.run_name: job.info.run_id for job in store.find_children(own)}
    keep_within(store, own, "dev/score", tmp_path, 1e-9, best=runs["c"])
    assert kept(store, own, tmp_path) == {"a/pretrain/model", "c/finetune need/model"}


def test_what_was_given_up_and_goes_on_is_not_done(sweep: tuple[Store, str], tmp_path: Path) -> None:
    store, own = sweep
    runs = {job.info.run_name: job.info.run_id for job in store.find_children(own)}
    with open_run(store, "d", resume=runs["d"]):
        keep_within(store, own, "dev/score", tmp_path, 1e-9)
        assert "d/finetune need/checkpoints" in kept(store, own, tmp_path)
    assert store.client.get_run(runs["d"]).info.status == "FINISHED"
    assert {row["status"] for row in sweep_table(store, own, "dev/score")} == {"FINISHED"}


@pytest.mark.slow
def test_through_a_server(tmp_path: Path) -> None:
    words = "--backend-store-uri", f"sqlite:///{tmp_path}/server.db", "--artifacts-destination", str(tmp_path / "kept")
    with served("server", *words, "--workers", "1") as place:
        store = open_store(place, "shopguide", tmp_path)
        with open_run(store, "sweep", tags={"shopguide.kind": "sweep"}) as own:
            for name, score in SCORES.items():
                with open_run(store, name, parent=own.id, tags={"shopguide.kind": "experiment"}) as job:
                    phase(store, tmp_path, job.id, "finetune need")
                    job.log_metrics({"dev/score": score})
            keep_within(store, own.id, "dev/score", tmp_path, 1e-9)
        assert kept(store, own.id, tmp_path) == {"a/finetune need/model"}


def test_files_of_a_job_that_may_go_on_stay(tmp_path: Path) -> None:
    store = open_store(None, "shopguide", tmp_path)
    with open_run(store, "sweep", tags={"shopguide.kind": "sweep"}) as own:
        with (
            suppress(KeyboardInterrupt),
            open_run(store, "a", parent=own.id, tags={"shopguide.kind": "experiment"}) as job,
        ):
            phase(store, tmp_path, job.id, "finetune need")
            raise KeyboardInterrupt
        keep_within(store, own.id, "dev/score", tmp_path, 1e-9)
        assert kept(store, own.id, tmp_path) == {"a/finetune need/checkpoints", "a/finetune need/model"}
