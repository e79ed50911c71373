"""The tracking store's client in a process of its own, beside the one that trains.

It imports MLflow, which takes seconds, while this one imports torch; what it writes takes nothing of a training step;
and where this one is killed, what was handed over is written all the same.
"""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

from shopguide.errors import RunError
from shopguide.machine import imported_at_once

if TYPE_CHECKING:
    from shopguide.runs.client import Client

SERVE = "from shopguide.runs.apart import serve; serve()"
SECONDS_TO_END = 10.0
"""Of the process, when it is told to."""
HANDED_OVER = {"log_params", "log_text", "set_tags"}
"""Methods that return nothing: nobody waits for them."""
BUFFERED = {"log_points"}
"""Methods whose own errors alone are theirs to raise: who calls them tries again."""


class Call(NamedTuple):
    """A method of a store's client, and what it is given."""

    uri: str
    create: bool
    method: str
    given: tuple[Any, ...]
    named: dict[str, Any]


class Page(list[Any]):
    """A page of runs, with what asks for the next one."""

    token: str | None = None


class Apart:
    """A process that holds clients, and answers calls one after another."""

    def __init__(self) -> None:
        self._calls = ThreadPoolExecutor(1, "tracking")
        """Signals fall on the main thread alone: Ctrl-C never cuts what is said between the processes."""
        self._process = self._start()
        self._failed: Exception | None = None

    def hand_over(self, call: Call) -> None:
        """Have the method called when those before are done; its error is raised by a later call, or on closing."""
        self._calls.submit(self._try, call)

    def begin(self, uri: str) -> None:
        """Have a store opened, and its tables made; where it cannot be opened, the next call tells."""
        self._calls.submit(self._ask, Call(uri, True, "ready", (), {}))

    def call(self, call: Call) -> Any:
        """What the method returns, MLflow's entities as views of the same attributes; or its error.

        Raises:
            RunError: the process is gone; the next call starts another.
        """
        answer = self._calls.submit(self._ask, call).result()
        if call.method not in BUFFERED:
            self._raise_failed()
        return answer

    def close(self) -> None:
        """End the process, when every call has been answered."""
        self._calls.shutdown()
        _end(self._process)
        self._raise_failed()

    def _raise_failed(self) -> None:
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed

    def _try(self, call: Call) -> None:
        try:
            self._ask(call)
        except Exception as error:
            self._failed = self._failed or error

    def _start(self) -> "subprocess.Popen[bytes]":
        paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        return subprocess.Popen(
            [sys.executable, "-c", SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )

    def _ask(self, call: Call) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump(tuple(call), self._process.stdin)
            self._process.stdin.flush()
            error, answer = pickle.load(self._process.stdout)
        except (OSError, EOFError) as gone:
            code = _end(self._process)
            self._process = self._start()
            raise RunError(f"the process that writes the runs has ended (exit code {code})") from gone
        if error is not None:
            raise error
        return answer


def _end(process: "subprocess.Popen[bytes]") -> int:
    with contextlib.suppress(OSError):  # told, too: a child of this process may hold the pipe open
        pickle.dump(None, process.stdin)  # type: ignore[arg-type]
        process.stdin.close()  # type: ignore[union-attr]
    try:
        code = process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    process.stdout.close()  # type: ignore[union-attr]
    return code


class Remote:
    """A client whose methods are called in another process."""

    def __init__(self, process: Apart, uri: str, create: bool) -> None:
        self._process, self._uri, self._create = process, uri, create

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return partial(self._call, method)

    def _call(self, method: str, *given: Any, **named: Any) -> Any:
        call = Call(self._uri, self._create, method, given, named)
        return self._process.hand_over(call) if method in HANDED_OVER else self._process.call(call)


_apart: Apart | None = None


@contextlib.contextmanager
def tracking_apart() -> Iterator[None]:
    """While it lasts, stores are opened in a process of their own, which is started at once."""
    global _apart
    if _apart is not None:
        yield
        return
    _apart = Apart()
    try:
        yield
    finally:
        _apart.close()
        _apart = None


def client_of(uri: str, create: bool) -> "Client":
    """The client of a store: in the process of its own, if there is one, else in this."""
    if _apart is not None:
        return cast("Client", Remote(_apart, uri, create))
    from shopguide.runs.client import Client

    return Client(uri, create)


def open_ahead(uri: str) -> None:
    """Where stores are opened in a process of their own, have it begin, while this one goes on."""
    if _apart is not None:
        _apart.begin(uri)


def serve() -> None:
    """The process: read calls, write answers, until there is nobody who asks."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    with imported_at_once():
        _import_mlflow()
    clients: dict[str, Client] = {}
    for call in _calls(asked):
        answers.write(pickle.dumps(_answer(call, clients)))
        answers.flush()
    os._exit(0)  # all is written, and taking MLflow apart takes Python half a second


def _import_mlflow() -> None:
    """Before anything is asked."""
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401

    import shopguide.runs.client  # noqa: F401


def _calls(asked: BinaryIO) -> Iterator[Call]:
    with contextlib.suppress(EOFError, pickle.UnpicklingError):  # of one that was killed while it asked
        while (call := pickle.load(asked)) is not None:
            yield Call(*call)


def _answer(call: Call, clients: "dict[str, Client]") -> tuple[Exception | None, Any]:
    from shopguide.runs.client import Client

    try:
        if call.uri not in clients:
            clients[call.uri] = Client(call.uri, call.create)
        return None, plain(getattr(clients[call.uri], call.method)(*call.given, **call.named))
    except Exception as error:
        return _portable(error), None


def _portable(error: Exception) -> Exception:
    """The error, or one that says the same, which another process can read."""
    from mlflow.exceptions import MlflowException

    try:
        return pickle.loads(pickle.dumps(error))  # type: ignore[no-any-return]
    except Exception:
        kind = MlflowException if isinstance(error, MlflowException) else RuntimeError
        return kind(str(error))


def plain(answer: Any) -> Any:
    """MLflow's entities as views with the same attributes, which are read without MLflow; all else as it is."""
    if isinstance(answer, list):
        page = Page(map(plain, answer))
        page.token = getattr(answer, "token", None)
        return page
    if type(answer).__module__.startswith("mlflow."):  # an entity is gone through by its attributes
        return SimpleNamespace(**{name: plain(value) for name, value in answer})
    return answer
