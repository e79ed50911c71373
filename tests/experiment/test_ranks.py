"""Training in two processes on this machine, with gloo."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from shopguide.checks import parse_config
from shopguide.errors import ConfigError, RunError
from shopguide.experiment.ranks import helped, is_rank, processes
from shopguide.experiment.run import run_experiment
from shopguide.runs.store import Store, open_store
from tests.conftest import TINY, tiny_settings
from tests.experiment.test_interrupt import command, start


@pytest.mark.parametrize(
    ("trainer", "count"),
    [
        ({}, 1),
        ({"devices": 2}, 2),
        ({"devices": "3", "strategy": "ddp_find_unused_parameters_true"}, 3),
        ({"devices": [0, 2]}, 2),
        ({"devices": "auto", "accelerator": "cpu"}, 1),
        ({"devices": 1, "strategy": "fsdp"}, 1),
        ({"devices": None, "num_nodes": None, "accelerator": "cpu"}, 1),
        ({"devices": "0,"}, 1),
        ({"devices": "0,1"}, 2),
    ],
)
def test_how_many_are_asked_for(trainer: dict[str, Any], count: int) -> None:
    assert processes(trainer) == count


@pytest.mark.parametrize(
    ("trainer", "fault"),
    [
        ({"devices": 2, "strategy": "fsdp"}, "trainer.strategy=fsdp"),
        ({"num_nodes": 2}, "trainer.num_nodes"),
        ({"devices": "two"}, "trainer.devices=two: expected a number"),
    ],
)
def test_what_is_not_served_is_told(trainer: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        processes(trainer)


def test_a_helper_that_fails_ends_the_training(tmp_path: Path) -> None:
    before, threads = dict(os.environ), torch.get_num_threads()

    def waited() -> None:
        with helped(2, ["a word"], tmp_path):
            raise AssertionError("it is not waited for")

    with pytest.raises(RunError, match=r"rank 1: failed, .*rank1\.log: TypeError"):
        waited()
    assert (dict(os.environ), torch.get_num_threads()) == (before, threads)
    assert [file.name for file in tmp_path.iterdir()] == ["rank1.log"]


def points(store: Store, run_id: str) -> dict[str, list[tuple[int, float]]]:
    """Of the curves of a run's fine-tuning."""
    (phase,) = store.find_children(run_id)
    names = [name for name in phase.data.metrics if name.startswith(("dev/", "train/lr"))]
    found = {name: store.client.get_metric_history(phase.info.run_id, name) for name in names}
    return {name: [(point.step, point.value) for point in history] for name, history in found.items()}


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_both_their_batches(tmp_path: Path) -> None:
    still = TINY | {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    common = {
        "phases": ["finetune"],
        "epochs": 2,
        "finetune.max_examples": 64,
        "finetune.batch": {"size": 8, "tokens": None, "num_workers": None},
        "finetune.baselines": False,
    }
    curves = []
    for more in ({"devices": 2, "accelerator": "cpu"}, {"devices": 1, "accumulate_grad_batches": 2}):
        settings = tiny_settings(tmp_path, **common)
        settings["model"]["config"] = still
        settings["tasks"] = {"need": settings["tasks"]["need"]}
        settings["trainer"] |= {"precision": "32-true", **more}
        run_id = run_experiment(parse_config(settings)).run_id
        curves.append(points(open_store(None, "shopguide", tmp_path / "mlruns"), run_id))
    two, one = curves
    assert not is_rank()
    assert set(two) == set(one)
    assert [step for step, _ in two["train/lr"]] == [step for step, _ in one["train/lr"]] == list(range(1, 9))
    for name, history in one.items():
        assert [step for step, _ in two[name]] == [step for step, _ in history]
        assert [value for _, value in two[name]] == pytest.approx([value for _, value in history], abs=1e-4), name
    assert one["dev/loss"][0] != one["dev/loss"][1]


SWEEP = ("-m", "pretrain.epochs=1", "epochs=1", "lr=1e-4,1e-3", "finetune.baselines=false", "trainer.devices=2")


@pytest.mark.slow
def test_two_processes_in_each_job_of_a_sweep(tmp_path: Path) -> None:
    job: subprocess.Popen[str] = start(tmp_path, *SWEEP, "trainer.accelerator=cpu")
    lines, told = job.communicate(timeout=300)
    assert job.returncode == 0, told
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    runs = store.client.search_runs([store.experiment_id])
    assert sorted(run.info.run_name.split(" lr=")[0] for run in runs) == [
        *("finetune need", "finetune need", "mlm_then_ft", "mlm_then_ft", "pretrain", "sweep mlm_then_ft over lr"),
    ]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert lines.count("kept: epoch 1") == 3


@pytest.mark.slow
def test_stopped_with_its_helpers_it_keeps_what_is_learnt(tmp_path: Path) -> None:
    words = ("pretrain.epochs=200", "trainer.devices=2", "trainer.accelerator=cpu")
    job: subprocess.Popen[str] = start(tmp_path, *words)
    assert job.stdout is not None
    for line in job.stdout:
        if "pretrain  epoch 2" in line:
            break
    children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
    commands = {child: Path(f"/proc/{child}/cmdline").read_text() for child in children}
    (helper,) = (child for child, typed in commands.items() if "shopguide.experiment.helper" in typed)
    job.send_signal(signal.SIGINT)
    job.communicate(timeout=60)
    assert job.returncode == 130
    assert not Path(f"/proc/{helper}").exists()
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    (phase,) = store.find_all("tags.`shopguide.phase` = 'pretrain'")
    assert phase.info.status == "KILLED"
    last = tmp_path / "mlruns" / "checkpoints" / phase.info.run_id / "last.ckpt"
    assert torch.load(last, weights_only=True)["global_step"] > 0


def test_ranks_that_others_started_are_refused(tmp_path: Path) -> None:
    environment = {**os.environ, "LOCAL_RANK": "0"}
    done = subprocess.run(command(tmp_path), capture_output=True, text=True, env=environment, timeout=100)
    assert done.returncode == 2
    assert "as by torchrun" in done.stderr
