"""The tracking store's client in a process of its own, beside the one that trains.

It imports MLflow, which takes seconds, while this one imports torch; what it writes takes nothing of a training step;
and what it has been asked for it does, though this one is killed. Its own side is `shopguide.runs.served`.
"""

import contextlib
import logging
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from shopguide.errors import RunError

if TYPE_CHECKING:
    from shopguide.runs.client import Client

SERVE = "import sys; sys.path[:] = sys.argv[1:]; from shopguide.runs.served import serve; serve()"
SECONDS_TO_END = 10.0
"""Of the process, when it is told to."""
QUIET = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}
"""What MLflow is told, unless the user's environment says something else."""


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
        self._process: subprocess.Popen[bytes] | None = _started()
        self._is_used = False

    def begin(self, call: Call) -> "Future[Any]":
        """Have a method called, when those before are done."""
        self._is_used = True
        return self._calls.submit(self._ask, call)

    def call(self, call: Call) -> Any:
        """What the method returns, MLflow's entities as views of the same attributes; or its error.

        Raises:
            RunError: the process is gone; the next call starts another.
        """
        answer = self.begin(call)
        try:
            return answer.result()
        except BaseException:
            answer.cancel()
            raise

    def close(self) -> None:
        """End the process when it has answered; at once where it was asked for nothing, or Ctrl-C does not wait."""
        try:
            self._calls.shutdown(wait=self._is_used)
        except BaseException:
            self._is_used = False
            raise
        finally:
            if self._process is not None:
                _ended(self._process, self._is_used)

    def _ask(self, call: Call) -> Any:
        if self._process is None:
            self._process = _started()
        try:
            pickle.dump(tuple(call), self._process.stdin)  # type: ignore[arg-type]
            self._process.stdin.flush()  # type: ignore[union-attr]
            error, answer = pickle.load(self._process.stdout)  # type: ignore[arg-type]
        except (OSError, EOFError, pickle.UnpicklingError) as gone:
            gone_process, self._process = self._process, None
            code = _ended(gone_process, in_order=False)
            again = "the command with resume=<run id> goes on"
            raise RunError(f"the process that writes the runs has ended (exit code {code}): {again}") from gone
        if error is not None:
            raise error
        return answer


def _started() -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", SERVE, *sys.path]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)


def _ended(process: "subprocess.Popen[bytes]", in_order: bool) -> int:
    """The exit code; in order, it is told to end, as a child of this process may hold its pipe open."""
    try:
        if in_order:
            with contextlib.suppress(OSError):
                pickle.dump(None, process.stdin)  # type: ignore[arg-type]
                process.stdin.flush()  # type: ignore[union-attr]
            process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        pass
    process.kill()
    with contextlib.suppress(OSError):
        process.communicate()
    return process.returncode


class Remote:
    """A client whose methods are called in another process."""

    def __init__(self, process: Apart, uri: str, create: bool) -> None:
        self._process, self._uri, self._create = process, uri, create

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return partial(self._call, method)

    def _call(self, method: str, *given: Any, **named: Any) -> Any:
        return self._process.call(Call(self._uri, self._create, method, given, named))


_apart: Apart | None = None


@contextlib.contextmanager
def tracking_apart() -> Iterator[None]:
    """While it lasts, stores are opened in a process of their own, which is started at once."""
    global _apart
    if _apart is not None:
        yield
        return
    quieten()
    _apart = own = Apart()
    try:
        yield
    finally:
        _apart = None
        own.close()


def client_of(uri: str, create: bool) -> "Client":
    """The client of a store: in the process of its own, if there is one, else in this.

    Args:
        uri: of the store.
        create: whether tables may be made in an embedded store that has none.
    """
    quieten()
    if _apart is not None:
        return cast("Client", Remote(_apart, uri, create))
    from shopguide.runs.client import Client

    return Client(uri, create)


def open_ahead(uri: str) -> None:
    """Where stores are opened in a process of their own, have it begin, while this one goes on; where the store cannot
    be opened, the next call tells.
    """
    if _apart is not None:
        _apart.begin(Call(uri, True, "ready", (), {}))


def quieten() -> None:
    """MLflow's news are none to who trains, and a server that does not answer is not waited for for minutes."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="mlflow")
