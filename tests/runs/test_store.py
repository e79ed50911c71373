import subprocess
import sys
from pathlib import Path

import pytest

from shopguide.errors import RunError
from shopguide.runs.store import Store, open_store, tracking_uri
from shopguide.runs.tree import open_run
from tests.conftest import Finished


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(None, "tests", tmp_path / "mlruns")


def experiment(store: Store, name: str) -> str:
    with open_run(store, name, tags={"shopguide.kind": "experiment"}) as run:
        return run.id


def test_the_setting_then_the_variable_then_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tracking_uri(None, tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://host:5000")
    assert tracking_uri(None, tmp_path) == "http://host:5000"
    assert tracking_uri("sqlite:///a.db", tmp_path) == "sqlite:///a.db"


def test_a_server_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RunError, match=r"tracking.uri=http://\*\*\*@127.0.0.1:9: the MLflow store does not answer"):
        open_store("http://me:secret@127.0.0.1:9", "tests", tmp_path)


def test_latest_is_the_last_finished_experiment(store: Store) -> None:
    experiment(store, "first")
    second = experiment(store, "second")
    with pytest.raises(KeyboardInterrupt), open_run(store, "third", tags={"shopguide.kind": "experiment"}):
        raise KeyboardInterrupt
    with open_run(store, "no experiment"):
        pass
    assert store.resolve("latest") == second


def test_latest_of_a_sweep_is_its_best(store: Store) -> None:
    tags = {"shopguide.kind": "experiment"}
    with open_run(store, "sweep", tags={"shopguide.kind": "sweep"}) as sweep:
        with (
            open_run(store, "good", parent=sweep.id, tags=tags) as good,
            open_run(store, "last", parent=sweep.id, tags=tags) as last,
        ):
            pass
        assert store.resolve("latest") == last.id
        sweep.set_tags({"best_run": good.id})
    assert store.resolve("latest") == good.id


def test_an_id_or_its_beginning(store: Store) -> None:
    run = experiment(store, "first")
    assert store.resolve(run) == store.resolve(run[:6]) == run
    with pytest.raises(RunError, match=rf"run={run[:5]}: expected the id .* found none; the last ones are:\n  {run}"):
        store.resolve(run[:5])


def test_a_sweep_stands_for_its_best_job(store: Store) -> None:
    with open_run(store, "sweep", tags={"shopguide.kind": "sweep"}) as sweep:
        job = experiment(store, "job")
        sweep.set_tags({"best_run": job})
    assert store.resolve(sweep.id) == store.resolve(sweep.id[:8]) == job


def test_no_new_store_for_those_who_read(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"tracking.root=.*typo: no experiment has been run there yet"):
        open_store(None, "tests", tmp_path / "typo", create=False)
    assert not (tmp_path / "typo").exists()


def test_those_who_read_write_nothing(store: Store, tmp_path: Path) -> None:
    run = experiment(store, "first")
    (tmp_path / "mlruns" / "mlflow.db.lock").unlink()
    assert open_store(None, "tests", tmp_path / "mlruns", create=False).resolve("latest") == run
    assert not (tmp_path / "mlruns" / "mlflow.db.lock").exists()


def test_a_store_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"\x07" * 5000)
    with pytest.raises(RunError, match=r"the MLflow store does not answer .*not a database"):
        open_store(None, "tests", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"tracking.root=.*file: expected a folder to write to"):
        open_store(None, "tests", tmp_path / "file")


def test_no_run_yet(store: Store) -> None:
    with pytest.raises(RunError, match=r"no experiment has been run yet \(make train\)"):
        store.resolve("latest")


def test_tasks_of_an_experiment(finished: Finished) -> None:
    assert set(finished.store.task_runs("latest", None)) == {"need", "features", "relevance"}
    with pytest.raises(RunError, match=r"task=foo: run .* has no such task; it has: need, features, relevance"):
        finished.store.task_model(finished.run_id, "foo")
    with pytest.raises(RunError, match=r"several tasks; say which with task=… \(need, features, relevance\)"):
        finished.store.task_model(finished.run_id, None)


@pytest.mark.parametrize(("sweep", "command"), [(None, "its command with resume="), ("a" * 32, "its sweep's command ")])
def test_an_experiment_that_was_cut_off_says_how_it_goes_on(store: Store, sweep: str | None, command: str) -> None:
    tags = {"shopguide.kind": "experiment"}
    with pytest.raises(KeyboardInterrupt), open_run(store, "cut", parent=sweep, tags=tags) as run:
        raise KeyboardInterrupt
    with pytest.raises(
        RunError, match=rf"run={run.id}: expected a task that is trained, found none: .* KILLED; {command}"
    ):
        store.task_runs(run.id, None)


def test_artifacts_of_a_local_store_are_used_in_place(store: Store, tmp_path: Path) -> None:
    with open_run(store, "one") as run:
        run.log_text("a", "folder/a.txt")
    assert store.artifact_folder(run.id, "folder").is_relative_to(tmp_path / "mlruns" / "artifacts")
    assert (store.artifact_folder(run.id, "folder") / "a.txt").read_text() == "a"


def test_two_stores_in_one_process_keep_apart(store: Store, tmp_path: Path) -> None:
    other = open_store(None, "tests", tmp_path / "other")
    run = experiment(store, "first")
    with pytest.raises(RunError):
        other.resolve(run)


def test_two_processes_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    code = f"from pathlib import Path; from shopguide.runs.store import open_store; \
print(open_store(None, 'tests', Path({str(tmp_path)!r})).experiment_id)"
    started = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    found = [process.communicate(timeout=120)[0].strip() for process in started]
    assert found[0] == found[1] != ""


def test_a_store_that_was_cut_while_it_was_made_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.store.tracking import sqlalchemy_store

    class Cut:
        def __init__(self, uri: str, _root: str) -> None:
            Path(uri.removeprefix("sqlite:///")).write_bytes(b"half")
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sqlalchemy_store, "SqlAlchemyStore", Cut)
        with pytest.raises(KeyboardInterrupt):
            open_store(None, "shopguide", tmp_path)
    assert not (tmp_path / "mlflow.db").exists()
    with open_run(open_store(None, "shopguide", tmp_path), "first") as run:
        run.log_metrics({"x": 1.0})
    assert {file.name for file in tmp_path.iterdir() if file.is_file()} == {"mlflow.db", "mlflow.db.lock"}


def test_a_server_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for uri in ("http://127.0.0.1:1", "postgresql://user:word@127.0.0.1:1/db"):
        with pytest.raises(RunError, match="does not answer"):
            open_store(uri, "shopguide", tmp_path / "runs")
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]
