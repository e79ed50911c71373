import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from shopguide.runs import writer
from shopguide.runs.client import Point
from shopguide.runs.store import open_store
from shopguide.runs.writer import POINTS_A_CALL, MetricWriter


class Client:
    """Stands in for a store: counts calls, and fails where it is told to."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.calls: list[int] = []
        self.down = False

    def log_points(self, run_id: str, points: list[Point]) -> None:
        assert run_id == "r"
        if self.down:
            raise ConnectionError("down")
        self.calls.append(len(points))
        self.steps += [step for *_, step in points]


def points(steps: range) -> list[Point]:
    return [("loss", 0.5, 0, step) for step in steps]


def made(monkeypatch: pytest.MonkeyPatch, seconds: float) -> tuple[Any, MetricWriter]:
    monkeypatch.setattr(writer, "SECONDS_BETWEEN_WRITES", seconds)
    client: Any = Client()
    return client, MetricWriter(client, "r")


def test_points_wait_and_are_written_together_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    client, own = made(monkeypatch, 60)
    for step in range(2500):
        own.add(points(range(step, step + 1)))
    assert client.calls == []
    own.close()
    assert client.calls == [POINTS_A_CALL, POINTS_A_CALL, 500]
    assert client.steps == list(range(2500))


def test_points_are_written_though_no_more_come(monkeypatch: pytest.MonkeyPatch) -> None:
    client, own = made(monkeypatch, 0.02)
    own.add(points(range(3)))
    deadline = time.monotonic() + 20
    while client.steps != [0, 1, 2] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert client.steps == [0, 1, 2]
    own.close()
    assert "metric writer" not in {thread.name for thread in threading.enumerate()}


def test_nothing_is_lost_while_the_store_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    client, own = made(monkeypatch, 60)
    client.down = True
    own.add(points(range(5)))
    with pytest.raises(ConnectionError):
        own.flush()
    own.add(points(range(5, 8)))
    with pytest.raises(ConnectionError):
        own.close()
    client.down = False
    own.flush()
    assert client.steps == list(range(8))


KILLED = """
import os, signal, sys, time
from pathlib import Path
from shopguide.runs.store import open_store
from shopguide.runs.tree import open_run
store = open_store(None, "killed", Path(sys.argv[1]))
with open_run(store, "killed") as run:
    begun = time.monotonic()
    step = 0
    while time.monotonic() - begun < 7:
        run.log_metrics({"loss": 1.0}, step)
        step += 1
        time.sleep(0.05)
        if time.monotonic() - begun < 2:
            print(step, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_logged_five_seconds_before_a_kill_is_kept(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    early = int(done.stdout.split()[-1])
    store = open_store(None, "killed", tmp_path)
    (run,) = store.client.search_runs([store.experiment_id])
    steps = [point.step for point in store.client.get_metric_history(run.info.run_id, "loss")]
    assert steps[:early] == list(range(early))
