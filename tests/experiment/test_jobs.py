"""Jobs of a sweep: done once, finished where they were cut, with one pretraining for those that share it."""

import gc
from contextlib import suppress
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from shopguide.checks import parse_config
from shopguide.config import Config
from shopguide.errors import Pruned, RunError
from shopguide.experiment import phases
from shopguide.experiment.identities import experiment_identity, pretraining_identity
from shopguide.experiment.prepare import load_material
from shopguide.experiment.run import Job, open_named, run_experiment
from shopguide.runs import environment
from shopguide.runs.identity import IDENTITY, alone
from shopguide.runs.store import PRETRAIN_RUN, PRUNED, Store
from shopguide.runs.tree import open_run
from tests.conftest import tiny_settings


def settings(folder: Path, **changes: object) -> Config:
    tasks = {"need": tiny_settings(folder)["tasks"]["need"]}
    return parse_config(tiny_settings(folder, **{"tasks": tasks, "finetune.baselines": False, **changes}))


def phases_of(store: Store, run: str) -> list[tuple[str, str]]:
    return [(child.info.run_name, child.info.status) for child in store.find_children(run)]


def test_jobs_share_a_pretraining_and_are_done_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = settings(tmp_path), settings(tmp_path, **{"lr": 2e-3, "optimizer.lr": 2e-3})
    store = open_named(first)
    with open_run(store, "sweep") as sweep:
        one = run_experiment(first, Job(sweep.id, "lr=1e-3"))
        other = run_experiment(second, Job(sweep.id, "lr=2e-3"))
        assert phases_of(store, one.run_id) == [("pretrain", "FINISHED"), ("finetune need", "FINISHED")]
        assert phases_of(store, other.run_id) == [("finetune need", "FINISHED")]
        (pretrained, _) = store.find_children(one.run_id)
        assert store.client.get_run(other.run_id).data.tags[PRETRAIN_RUN] == pretrained.info.run_id
        assert store.find_phases(other.run_id)[0].info.run_id == pretrained.info.run_id
        assert other.metrics["pretrain/dev/loss"] == one.metrics["pretrain/dev/loss"]
        capsys.readouterr()
        again = run_experiment(first, Job(sweep.id, "lr=1e-3"))
        assert (again.run_id, again.score) == (one.run_id, one.score)
        assert capsys.readouterr().out == f"job lr=1e-3: done before, run {one.run_id}\n"
        store.client.set_tag(one.run_id, "git.commit", "0" * 40)
        monkeypatch.setattr(environment, "git_state", lambda: {"git.commit": "1" * 40})
        run_experiment(first, Job(sweep.id, "lr=1e-3"))
        assert f"run {one.run_id}, by the code of commit 00000000, now 11111111 (sweep" in capsys.readouterr().out
        assert len(store.find_children(sweep.id)) == 2


class Never:
    number = 0

    def report(self, value: float, step: int) -> None: ...

    def should_prune(self) -> bool:
        return False


def test_a_job_that_its_search_gave_up_is_not_trained_again(tmp_path: Path) -> None:
    config = settings(tmp_path)
    store = open_named(config)
    own = experiment_identity(config, load_material(config.data).shop.fingerprint)
    with open_run(store, "sweep") as sweep:
        tags = {IDENTITY: own}
        with suppress(Pruned), open_run(store, "job", parent=sweep.id, tags=tags) as job:
            raise Pruned("given up after epoch 1")
        with pytest.raises(Pruned, match=rf"given up after epoch 1 \(before, run {job.id}\)"):
            run_experiment(config, Job(sweep.id, "lr=1e-3", trial=Never()))
        assert run_experiment(config, Job(sweep.id, "lr=1e-3")).run_id == job.id
        assert PRUNED not in store.client.get_run(job.id).data.tags


def networks() -> int:
    return sum(issubclass(type(one), (pl.LightningModule, torch.optim.Optimizer)) for one in gc.get_objects())


def test_a_sweep_in_one_process_does_not_gather_networks(tmp_path: Path) -> None:
    config = settings(tmp_path)
    with open_run(open_named(config), "sweep") as sweep:
        gc.collect()
        before = networks()
        run_experiment(config, Job(sweep.id, "lr=1e-3"))
        assert networks() == before


def test_a_job_that_was_cut_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings(tmp_path)
    store = open_named(config)

    def cut(*_: object) -> None:
        raise MemoryError("no room left")

    with open_run(store, "sweep") as sweep:
        job = Job(sweep.id, "")
        monkeypatch.setattr(phases, "_finetune", cut)
        with pytest.raises(MemoryError):
            run_experiment(config, job)
        monkeypatch.undo()
        (failed,) = store.find_children(sweep.id)
        assert failed.info.status == "FAILED"
        assert failed.data.tags["shopguide.error"] == "MemoryError: no room left"
        found = run_experiment(config, job)
        (finished,) = store.find_children(sweep.id)
        assert finished.info.run_id == failed.info.run_id == found.run_id
        assert finished.info.status == "FINISHED"
        assert "shopguide.error" not in finished.data.tags
        assert phases_of(store, found.run_id) == [("pretrain", "FINISHED"), ("finetune need", "FINISHED")]


def test_a_job_that_another_process_does_is_told(tmp_path: Path) -> None:
    config = settings(tmp_path)
    own = experiment_identity(config, load_material(config.data).shop.fingerprint)
    with alone(config.tracking.root, f"job-{own}", wait=False) as held:
        assert held
        with pytest.raises(RunError, match=r"job lr=1: another process is doing it"):
            run_experiment(config, Job("0" * 32, "lr=1"))


def test_what_an_identity_depends_on(tmp_path: Path) -> None:
    base = settings(tmp_path)

    def same(**changes: object) -> tuple[bool, bool]:
        other = settings(tmp_path, **changes)
        return (
            experiment_identity(other, "f") == experiment_identity(base, "f"),
            pretraining_identity(other, "f") == pretraining_identity(base, "f"),
        )

    assert same() == (True, True)
    assert same(sort_by="test/score", resume="abcdef", **{"sweep.fresh": True}) == (True, True)
    assert same(**{"lr": 2e-3, "optimizer.lr": 2e-3}) == (False, True)
    assert same(**{"epochs": 7, "finetune.epochs": 7}) == (False, True)
    assert same(**{"pretrain.lr": 7e-3}) == (False, False)
    assert same(seed=5) == (False, False)
    assert experiment_identity(base, "g") != experiment_identity(base, "f")
    assert pretraining_identity(base, "g") != pretraining_identity(base, "f")
