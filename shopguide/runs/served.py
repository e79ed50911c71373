"""The process beside the one that trains: it holds the clients of tracking stores, and answers what it is asked."""

import contextlib
import os
import pickle
import signal
import traceback
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, BinaryIO

from shopguide.machine import imported_at_once
from shopguide.runs.apart import Call, Page, quieten

if TYPE_CHECKING:
    from shopguide.runs.client import Client


def serve() -> None:
    """The process: read calls, write answers, until there is nobody who asks."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    quieten()
    with imported_at_once():
        _import_mlflow()
    clients: dict[str, Client] = {}
    with contextlib.suppress(BrokenPipeError):  # who asked was killed before the answer
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
    """The error, or one that says the same, which another process can read; its traceback is a note of it."""
    from mlflow.exceptions import MlflowException

    told = traceback.format_exc()
    try:
        found: Exception = pickle.loads(pickle.dumps(error))
    except Exception:
        found = (MlflowException if isinstance(error, MlflowException) else RuntimeError)(str(error))
    found.add_note(told)
    return found


def plain(answer: Any) -> Any:
    """MLflow's entities as views with the same attributes, which are read without MLflow; all else as it is."""
    if isinstance(answer, list):
        page = Page(map(plain, answer))
        page.token = getattr(answer, "token", None)
        return page
    if type(answer).__module__.startswith("mlflow."):  # an entity is gone through by its attributes
        return SimpleNamespace(**{name: plain(value) for name, value in answer})
    return answer
