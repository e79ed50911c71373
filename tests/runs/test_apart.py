import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from mlflow.store.entities import PagedList

from shopguide.errors import RunError
from shopguide.runs import apart
from shopguide.runs.apart import Apart, Remote, open_ahead, tracking_apart
from shopguide.runs.served import plain
from shopguide.runs.store import Store, open_store
from shopguide.runs.tree import open_run


@pytest.fixture(scope="module")
def process() -> Iterator[Apart]:
    with tracking_apart():
        assert apart._apart is not None
        yield apart._apart


@pytest.fixture
def store(process: Apart, tmp_path: Path) -> Store:
    return open_store(None, "apart", tmp_path)


def test_a_run_is_as_one_of_this_process(store: Store, tmp_path: Path) -> None:
    assert isinstance(store.client, Remote)
    with open_run(store, "one", tags={"kind": "outer"}) as run:
        run.log_params({f"key{i}": i for i in range(150)})
        for step in range(1200):
            run.log_metrics({"loss": 1 / (step + 1)}, step)
        run.log_dict({"名": "手机"}, "config.json")
        with open_run(store, "below", parent=run.id, tags={"kind": "inner"}):
            assert [child.data.tags["kind"] for child in store.find_children(run.id)] == ["inner"]
        assert run.history("loss") == [(step, 1 / (step + 1)) for step in range(1200)]
    here = Store(_client(tmp_path), store.experiment_id, store.uri)
    found = here.client.get_run(run.id)
    assert (found.info.status, found.info.run_name, len(found.data.params)) == ("FINISHED", "one", 150)
    assert found.data.tags["kind"] == "outer"
    assert "手机" in (here.artifact_folder(run.id, "config.json")).read_text(encoding="utf-8")
    assert store.find_all("tags.kind = 'outer'")[0].info.run_id == run.id


def _client(root: Path) -> Any:
    from shopguide.runs.client import Client

    return Client(f"sqlite:///{root}/mlflow.db", create=False)


TRAINS = """
import sys
from pathlib import Path
from shopguide.runs.apart import tracking_apart
from shopguide.runs.store import open_store
from shopguide.runs.tree import open_run
with tracking_apart(), open_run(open_store(None, "apart", Path(sys.argv[1])), "one") as run:
    run.log_params({"lr": 1})
    run.log_metrics({"loss": 1.0})
    print(run.store.find_children(run.id), run.metrics(), run.store.parent(run.id))
print("mlflow" in sys.modules)
"""


def test_the_process_that_trains_does_not_import_mlflow(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", TRAINS, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[] {'loss': 1.0} None", "False"]
    assert done.stderr == ""


def test_errors_come_over(store: Store) -> None:
    with pytest.raises(MlflowException, match="not found"):
        store.client.get_run("0" * 32)
    with pytest.raises(AttributeError, match="no_such_method"):
        store.client.no_such_method()  # type: ignore[attr-defined]


def test_a_store_that_cannot_be_opened_is_told_as_usual(process: Apart, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = f"sqlite:///{tmp_path}/file/mlflow.db"
    open_ahead(place)
    with pytest.raises(RunError, match="the MLflow store does not answer"):
        open_store(place, "apart", Path("unused"), create=False)


def test_tables_are_made_ahead(process: Apart, tmp_path: Path) -> None:
    open_ahead(f"sqlite:///{tmp_path}/mlflow.db")
    deadline = time.monotonic() + 60
    while not (tmp_path / "mlflow.db").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (tmp_path / "mlflow.db").exists()


def test_a_process_that_is_gone_is_told_and_another_takes_its_place(tmp_path: Path) -> None:
    own = Apart()
    client: Any = Remote(own, f"sqlite:///{tmp_path}/mlflow.db", create=True)
    number = client.experiment("apart", None)
    assert own._process is not None
    own._process.kill()
    told = r"the process that writes the runs has ended \(exit code -9\): the command with resume=<run id> goes on"
    with pytest.raises(RunError, match=told):
        client.experiment("apart", None)
    assert client.experiment("apart", None) == number
    last = own._process
    own.close()
    assert last.returncode == 0


def test_one_that_was_asked_for_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_apart", None)
    begun = time.monotonic()
    for _ in range(2):
        with pytest.raises(RunError, match="a mistake"), tracking_apart():
            raise RunError("a mistake")
        assert apart._apart is None
    assert time.monotonic() - begun < 2


def test_ctrl_c_leaves_a_store_that_does_not_answer(tmp_path: Path) -> None:
    own = Apart()
    client: Any = Remote(own, f"sqlite:///{tmp_path}/mlflow.db", create=True)
    client.experiment("apart", None)
    assert own._process is not None
    process = own._process
    os.kill(process.pid, signal.SIGSTOP)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        client.experiment("apart", None)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        own.close()
    assert process.returncode == -signal.SIGKILL


KILLED = """
import os, signal, sys, time
from pathlib import Path
from shopguide.runs import apart
from shopguide.runs.store import open_store
from shopguide.runs.tree import open_run
with apart.tracking_apart(), open_run(open_store(None, "killed", Path(sys.argv[1])), "killed") as run:
    print(apart._apart._process.pid, flush=True)
    for step in range(3000):
        run.log_metrics({"loss": 1.0}, step)
    run.flush()
    run.set_tags({"last": "written"})
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_handed_over_is_kept_and_nothing_goes_on_when_the_process_is_killed(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 20
    while _is_alive(int(done.stdout)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_alive(int(done.stdout))
    client = _client(tmp_path)
    (run,) = client.search_runs([client.get_experiment_by_name("killed").experiment_id])
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 3000
    assert run.data.tags["last"] == "written"


def _is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{number}/stat").read_text(encoding="utf-8").split()[2] != "Z" if _has_proc() else True


def _has_proc() -> bool:
    return Path("/proc/self/stat").exists()


STOPPED = """
import sys, time
from pathlib import Path
from shopguide.runs.apart import tracking_apart
from shopguide.runs.store import open_store
from shopguide.runs.tree import open_run
with tracking_apart(), open_run(open_store(None, "stopped", Path(sys.argv[1])), "stopped") as run:
    print("ready", flush=True)
    while True:
        run.log_metrics({"loss": 1.0}, time.monotonic_ns() // 1000)
        run.flush()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_in_the_midst_of_a_call_closes_the_run(tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-c", STOPPED, str(tmp_path)]
    job = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert job.stdout is not None
    assert job.stdout.readline() == "ready\n"
    time.sleep(0.5)
    os.killpg(job.pid, number)
    told = job.communicate(timeout=60)[1]
    assert told.strip().splitlines()[-1] == "KeyboardInterrupt"
    client = _client(tmp_path)
    (run,) = client.search_runs([client.get_experiment_by_name("stopped").experiment_id])
    assert run.info.status == "KILLED"
    assert run.data.metrics == {"loss": 1.0}


def test_views_have_the_attributes_of_entities() -> None:
    page = plain(PagedList([Metric("loss", 0.5, 7, 3)], token="next"))
    assert [(point.key, point.value, point.timestamp, point.step) for point in page] == [("loss", 0.5, 7, 3)]
    assert page.token == "next"
    assert plain({"a": [1]}) == {"a": [1]}
