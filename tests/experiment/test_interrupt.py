"""Ctrl-C in the middle of a real process: marked, kept, and finished by the same command."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shopguide.runs.store import SECONDS, open_store
from tests.conftest import TINY

ROOT = Path(__file__).parents[2]


def command(folder: Path, *more: str) -> list[str]:
    shape = [f"model.config.{key}={value}" for key, value in TINY.items()]
    return [
        *(sys.executable, "-m", "shopguide.train", "+experiment=mlm_then_ft", "tasks=[need]", "epochs=2"),
        *("pretrain.epochs=40", "pretrain.max_length=32", "model.vocab_size=300", f"data.cache_dir={folder}/cache"),
        *("data.options.products=150", "data.options.behaviours=300", f"tracking.root={folder}/mlruns", *shape, *more),
    ]


def heed_interrupts() -> None:
    """Also where the tests were started in the background, whose children ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command(folder, *more),
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )


def interrupt_after_an_epoch(job: subprocess.Popen[str], folder: Path, number: int) -> tuple[int, str]:
    deadline = time.monotonic() + 120
    while not list(folder.glob("mlruns/checkpoints/*/last.ckpt")):
        assert job.poll() is None, job.stderr.read() if job.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.05)
    job.send_signal(number)
    _, told = job.communicate(timeout=60)
    return job.returncode, told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_then_resumed(number: int, tmp_path: Path) -> None:
    code, told = interrupt_after_an_epoch(start(tmp_path), tmp_path, number)
    assert code == 130
    assert "Traceback" not in told
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    runs = store.client.search_runs([store.experiment_id])
    assert {run.info.run_name: run.info.status for run in runs} == {"mlm_then_ft": "KILLED", "pretrain": "KILLED"}
    if number == signal.SIGTERM:
        return
    (parent,) = [run.info.run_id for run in runs if run.info.run_name == "mlm_then_ft"]
    (phase,) = [run.info.run_id for run in runs if run.info.run_name == "pretrain"]
    before = store.client.get_metric_history(phase, "train/loss")
    job = start(tmp_path, f"resume={parent}")
    lines, told = job.communicate(timeout=300)
    assert job.returncode == 0, told
    assert lines.splitlines()[-1] == f"run_id={parent}"
    runs = store.client.search_runs([store.experiment_id])
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len(runs) == 3
    points = store.client.get_metric_history(phase, "train/loss")
    assert [p.step for p in points][: len(before)] == [p.step for p in before]
    epochs = [point.value for point in store.client.get_metric_history(phase, "epoch")]
    assert max(epochs) == 39
    run = store.client.get_run(phase)
    worked, lasted = float(run.data.tags[SECONDS]), (run.info.end_time - run.info.start_time) / 1000
    assert run.data.metrics["cost/training_seconds"] < worked < lasted - 1  # of which nobody worked while one started
