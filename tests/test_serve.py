"""The command, as it is typed."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from shopguide import serve
from shopguide.errors import ConfigError
from tests.command_line.test_running import refuse
from tests.conftest import PATIENCE, Finished


def ask(address: str, kind: str, body: dict[str, Any], **headers: str) -> tuple[int, Any]:
    told = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(f"{address}/api/{kind}", json.dumps(body).encode(), told)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture
def served(finished: Finished) -> Iterator[tuple[str, Any]]:
    words = [f"run={finished.run_id}", f"tracking.root={finished.folder / 'mlruns'}", "port=0", "seconds=60"]
    process = subprocess.Popen(
        [sys.executable, "-m", "shopguide.serve", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {serve.KEYS: "secret"},
    )
    assert process.stdout is not None
    shown = [process.stdout.readline() for _ in range(4)]
    assert shown[0].startswith("data demo: 150 products")
    assert shown[1].startswith("2 models loaded; ")
    assert shown[2] == "150 products, tasks need, relevance\n"
    yield shown[3].split()[0], process
    process.kill()


def test_it_serves_reloads_and_stops_without_losing_a_request(served: tuple[str, Any]) -> None:
    address, process = served
    assert ask(address, "search", {"query": "dress"})[0] == 401
    answers: list[int] = []

    def search() -> None:
        answers.append(ask(address, "search", {"query": "dress"}, Authorization="Bearer secret")[0])

    threads = [threading.Thread(target=search) for _ in range(12)]
    for number, thread in enumerate(threads):
        thread.start()
        if number == 5:
            process.send_signal(signal.SIGHUP)
    for thread in threads:
        thread.join()
    assert answers == [200] * 12
    lines: list[str] = []
    while not any('"reload": "done"' in line for line in lines):
        lines.append(process.stderr.readline())
    answers.clear()
    late = [threading.Thread(target=search) for _ in range(4)]
    for thread in late:
        thread.start()
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    for thread in late:
        thread.join()
    assert answers == [200] * 4
    assert process.wait(PATIENCE) == 0
    told = "".join(lines) + process.stderr.read()
    assert "dress" not in told
    assert "secret" not in told
    assert "Traceback" not in told


def test_what_is_wrong_is_told_before_models_are_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = refuse(f"port={port}", serve.main, monkeypatch, capsys)
    assert f"host=127.0.0.1 port={port}: cannot be listened on" in told
    assert "keys=no.txt: expected a file" in refuse("keys=no.txt", serve.main, monkeypatch, capsys)


def test_keys_of_a_file_and_of_the_environment(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keys").write_text("\ufeffone\n# a comment\n\n two \n")
    (tmp_path / "none").write_text("\n")
    monkeypatch.setenv(serve.KEYS, "three,,four")
    assert serve.read_keys(serve.ServeConfig(keys=str(tmp_path / "keys"))) == ["one", "two", "three", "four"]
    for nothing in (serve.ServeConfig(keys=str(tmp_path / "none")), serve.ServeConfig()):
        monkeypatch.setenv(serve.KEYS, " , ")
        with pytest.raises(ConfigError, match="expected a key, found none"):
            serve.read_keys(nothing)
    monkeypatch.delenv(serve.KEYS)
    assert serve.read_keys(serve.ServeConfig()) == []


def test_answers_do_not_wait_for_acknowledgements() -> None:
    with serve._bound(serve.ServeConfig(port=0)) as bound:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(bound.getsockname())
        bound.listen()
        with socket.create_connection(bound.getsockname()):
            accepted, _ = bound.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
