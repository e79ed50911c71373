"""Many jobs that write at once, into the embedded store and to a server: no point is lost."""

import getpass
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shopguide.runs.store import open_store
from tests.conftest import served

pytestmark = pytest.mark.slow
JOBS, POINTS = 8, 1000
JOB = """
import sys
from pathlib import Path
from shopguide.runs.store import open_store
from shopguide.runs.tree import open_run
uri, root, number, points = sys.argv[1] or None, Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
with open_run(open_store(uri, "together", root), f"job {number}") as run:
    for step in range(points):
        run.log_metrics({"train/loss": number + step / points}, step)
"""


def write_together(uri: str, root: Path) -> None:
    commands = [[sys.executable, "-c", JOB, uri, str(root), str(number), str(POINTS)] for number in range(JOBS)]
    jobs = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    told = [job.communicate(timeout=180)[1] for job in jobs]
    assert [job.returncode for job in jobs] == [0] * JOBS, told


def assert_all_are_there(uri: str | None, root: Path) -> None:
    store = open_store(uri, "together", root)
    runs = store.find_all("attributes.status = 'FINISHED'")
    assert sorted(run.info.run_name for run in runs) == [f"job {number}" for number in range(JOBS)]
    for run in runs:
        number = int(run.info.run_name.split()[1])
        points = store.client.get_metric_history(run.info.run_id, "train/loss")
        assert sorted((p.step, p.value) for p in points) == [(s, number + s / POINTS) for s in range(POINTS)]


def test_into_the_embedded_store(tmp_path: Path) -> None:
    write_together("", tmp_path)
    assert_all_are_there(None, tmp_path)


def test_to_a_server(tmp_path: Path) -> None:
    words = "--backend-store-uri", f"sqlite:///{tmp_path}/server.db", "--artifacts-destination", str(tmp_path / "kept")
    with served("server", *words, "--workers", "2") as place:
        write_together(place, tmp_path)
        assert_all_are_there(place, tmp_path)


@pytest.fixture
def postgres() -> Iterator[str]:
    """Address of a PostgreSQL server of its own, by the system's programs; it refuses to be run by root."""
    pytest.importorskip("psycopg2")
    found = shutil.which("initdb") or next(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), None)
    user = "postgres" if os.geteuid() == 0 else getpass.getuser()
    if found is None or user not in {entry.pw_name for entry in pwd.getpwall()}:
        pytest.skip("no PostgreSQL server on this machine")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder, programs = Path(tempfile.mkdtemp(prefix="postgres")), Path(found).parent
    shutil.chown(folder, user)
    other = ("runuser", "-u", user, "--") if os.geteuid() == 0 else ()

    def call(program: str, *words: str) -> None:
        command = [*other, str(programs / program), "-D", str(folder / "data"), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, timeout=90)

    call("initdb", "-A", "trust", "-U", "shop")
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    call("pg_ctl", "-w", "-l", str(folder / "log"), "-o", settings, "start")
    try:
        yield f"postgresql+psycopg2://shop@127.0.0.1:{port}/postgres"
    finally:
        call("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.mark.postgres
def test_to_a_server_on_postgresql(tmp_path: Path, postgres: str) -> None:
    words = "--backend-store-uri", postgres, "--artifacts-destination", str(tmp_path / "kept"), "--workers", "2"
    with served("server", *words) as place:
        write_together(place, tmp_path)
        assert_all_are_there(place, tmp_path)
