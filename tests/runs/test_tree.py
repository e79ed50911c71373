import os
import signal
from pathlib import Path

import pytest

from shopguide.errors import RunError
from shopguide.runs.store import Store, open_store
from shopguide.runs.tree import Run, metric_name, open_run


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(None, "tests", tmp_path / "mlruns")


def status(store: Store, run: Run) -> str:
    return str(store.client.get_run(run.id).info.status)


def test_a_run_ends_as_its_block_does(store: Store) -> None:
    with open_run(store, "good") as good:
        assert status(store, good) == "RUNNING"
    with pytest.raises(ValueError), open_run(store, "bad") as bad:  # noqa: PT011, PT012
        bad.log_metrics({"loss": 1.0}, step=3)
        raise ValueError("no room left\nsecond line")
    with pytest.raises(KeyboardInterrupt), open_run(store, "stopped") as stopped:
        raise KeyboardInterrupt
    assert [status(store, run) for run in (good, bad, stopped)] == ["FINISHED", "FAILED", "KILLED"]
    failed = store.client.get_run(bad.id).data
    assert failed.tags["shopguide.error"] == "ValueError: no room left"
    assert failed.metrics == {"loss": 1.0}


def test_sigterm_interrupts(store: Store) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), open_run(store, "stopped") as run:
        os.kill(os.getpid(), signal.SIGTERM)
    assert status(store, run) == "KILLED"
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_resumed_run_is_the_same_run(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt), open_run(store, "one") as first:
        raise KeyboardInterrupt
    with open_run(store, "one", resume=first.id) as second:
        pass
    assert second.id == first.id
    assert status(store, first) == "FINISHED"


def test_what_is_whole_stays_finished(store: Store) -> None:
    with open_run(store, "one") as run:
        pass
    with pytest.raises(RunError), open_run(store, "one", resume=run.id):
        raise RunError("other settings")
    assert status(store, run) == "FINISHED"


def test_curves_hold_every_point(store: Store) -> None:
    with open_run(store, "one") as run:
        for step in range(1500):
            run.log_metrics({"loss": 1 / (step + 1), "lr": 0.1, "diverged": float("nan")}, step)
        assert run.history("loss") == [(step, 1 / (step + 1)) for step in range(1500)]
    assert run.metrics() == {"loss": 1 / 1500, "lr": 0.1, "diverged": pytest.approx(float("nan"), nan_ok=True)}


def test_settings_are_written_once(store: Store) -> None:
    settings = {f"key{i}": i for i in range(250)} | {"api_token": "abc"}
    with open_run(store, "one") as run:
        run.log_params(settings)
        run.log_params(settings)
        with pytest.raises(RunError, match=r"made with other settings \(key7: 7 → 8\)"):
            run.log_params(settings | {"key7": 8})
    params = store.client.get_run(run.id).data.params
    assert len(params) == 251
    assert params["api_token"] == "***"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("f1/Colour(s)", "f1/Colour_s_"),
        ("f1/茶道/零配", "f1/茶道/零配"),
        ("f1/a//b/../c", "f1/a/b/c"),
        ("f1/", "f1"),
        ("", "_"),
        ("f1/" + "x" * 400, "f1/" + "x" * 247),
    ],
)
def test_names_of_metrics_keep_to_what_mlflow_takes(name: str, kept: str) -> None:
    from mlflow.utils.validation import _validate_metric_name

    assert metric_name(name) == kept
    _validate_metric_name(metric_name(name))


def test_what_is_done_again_adds_no_point_again(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt), open_run(store, "one") as first:  # noqa: PT012
        for step in range(4):
            first.log_metrics({"loss": float(step)}, step)
        first.log_metrics({"end": 1.0})
        raise KeyboardInterrupt
    with open_run(store, "one", resume=first.id) as second:
        for step in range(2, 6):
            second.log_metrics({"loss": float(step), "new": 0.0}, step)
        second.log_metrics({"end": 1.0})
    assert second.history("loss") == [(step, float(step)) for step in range(6)]
    assert second.history("new") == [(step, 0.0) for step in range(2, 6)]
    assert second.history("end") == [(0, 1.0)]
    with open_run(store, "one", resume=first.id) as finished:
        finished.log_metrics({"end": 2.0})
    assert finished.metrics()["end"] == 2.0
