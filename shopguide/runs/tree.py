"""The run tree: a run is opened, or opened again with the same id, and always closed with an honest status."""

import contextlib
import json
import re
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any

from shopguide.errors import Pruned, RunError
from shopguide.runs.secrets import mask_secrets, mask_uri
from shopguide.runs.store import PRUNED, SECONDS, Store
from shopguide.runs.writer import MetricWriter

PARAM_LENGTH = 6000
NAME_LENGTH = 250
ERROR = "shopguide.error"
"""Tag of a run that failed: why."""
NOT_IN_NAMES = re.compile(r"[^/\w.\- :]")


class Run:
    """A tracked run.

    Args:
        store: that holds it.
        run_id: its id.
        new: whether it has just been made, and holds nothing yet.
    """

    def __init__(self, store: Store, run_id: str, new: bool = False) -> None:
        self.store, self.id = store, run_id
        self._params: dict[str, str] | None = {} if new else None
        self._writer = MetricWriter(store.client, run_id)
        self._logged: dict[str, int] = {}

    def log_params(self, values: Mapping[str, Any]) -> None:
        """Write settings once.

        Raises:
            RunError: the run was made with other settings (on a resume).
        """
        text = {key: str(value)[:PARAM_LENGTH] for key, value in mask_secrets(dict(values)).items()}
        own = self._known_params()
        changed = {key: value for key, value in text.items() if own.get(key, value) != value}
        if changed:
            shown = "; ".join(f"{key}: {own[key]} → {value}" for key, value in list(changed.items())[:5])
            raise RunError(
                f"resume={self.id}: the run was made with other settings ({shown}); "
                "type the same command again, or start a new run without resume"
            )
        new = {key: value for key, value in text.items() if key not in own}
        self.store.client.log_params(self.id, new)
        own.update(new)

    def _known_params(self) -> dict[str, str]:
        if self._params is None:
            self._params = dict(self.store.client.get_run(self.id).data.params)
        return self._params

    def go_on(self) -> None:
        """Take no point again that a curve holds: what is done anew since the last checkpoint is the same."""
        self._logged = {name: self.history(name)[-1][0] for name in self.metrics()}

    def log_metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Add points to curves, NaN too (a loss that diverged); they are written in batches, seconds later."""
        now = int(time.time() * 1000)
        points = [(metric_name(name), float(value), now, step) for name, value in values.items()]
        self._writer.add([point for point in points if step > self._logged.get(point[0], -1)])

    def flush(self) -> None:
        """Write what is buffered."""
        self._writer.flush()

    def close(self) -> None:
        """Write what is buffered; the run takes no more points."""
        self._writer.close()

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        self.store.client.set_tags(self.id, tags)

    def drop_tag(self, name: str) -> None:
        """Delete a tag, if it is there."""
        if name in self.store.client.get_run(self.id).data.tags:
            self.store.client.delete_tag(self.id, name)

    def log_text(self, text: str, path: str) -> None:
        """Write a text artifact."""
        self.store.client.log_text(self.id, text, path)

    def log_dict(self, values: Mapping[str, Any], path: str) -> None:
        """Write a JSON artifact."""
        self.log_text(json.dumps(values, ensure_ascii=False, indent=1, default=str), path)

    def log_figure(self, figure: Any, path: str) -> None:
        """Write a picture."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / Path(path).name
            figure.savefig(file, dpi=130)
            self.store.client.log_artifact(self.id, str(file), str(Path(path).parent))

    def log_artifacts(self, folder: str, path: str) -> None:
        """Copy a folder's files to the artifacts."""
        self.store.client.log_artifacts(self.id, folder, path)

    def metrics(self) -> dict[str, float]:
        """The last value of each metric."""
        self.flush()
        return dict(self.store.client.get_run(self.id).data.metrics)

    def history(self, name: str) -> list[tuple[int, float]]:
        """(step, value) of a metric's points, in order."""
        self.flush()
        points = self.store.client.get_metric_history(self.id, name)
        return sorted((point.step, point.value) for point in points)


@lru_cache(maxsize=4096)
def metric_name(name: str) -> str:
    """The name in the characters and form of a path that MLflow takes: `f1/Colour(s)` → `f1/Colour_s_`."""
    parts = [part for part in NOT_IN_NAMES.sub("_", name).split("/") if part not in ("", ".", "..")]
    return "/".join(parts)[:NAME_LENGTH] or "_"


@contextlib.contextmanager
def open_run(
    store: Store, name: str, parent: str | None = None, tags: Mapping[str, str] | None = None, resume: str | None = None
) -> Iterator[Run]:
    """A new run, or the one to go on with, for as long as the block lasts.

    It ends FINISHED; KILLED where the block was interrupted (Ctrl-C, SIGTERM) or a search gave it up, with a tag;
    FAILED on any other error. A finished run that is opened again and fails stays FINISHED: what it holds is whole.
    """
    client = store.client
    if resume is None:
        own = dict(tags or {}) | {"mlflow.runName": name} | ({"mlflow.parentRunId": parent} if parent else {})
        run = Run(store, client.create_run(store.experiment_id, run_name=name, tags=own).info.run_id, new=True)
        was_finished = False
    else:
        run, was_finished = Run(store, resume), client.get_run(resume).info.status == "FINISHED"
        if not was_finished:
            run.go_on()
            run.drop_tag(PRUNED)
        client.update_run(resume, status="RUNNING")
    status, begun = "FINISHED" if was_finished else "FAILED", time.monotonic()
    try:
        with _terminable():
            yield run
        status = "FINISHED"
        run.drop_tag(ERROR)
    except (KeyboardInterrupt, SystemExit):
        status = "FINISHED" if was_finished else "KILLED"
        raise
    except Pruned as pruned:
        status = "KILLED"
        client.set_tag(run.id, PRUNED, str(pruned))
        raise
    except BaseException as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        client.set_tag(run.id, ERROR, mask_uri(f"{type(error).__name__}: {lines[0]}")[:500])
        raise
    finally:
        run.close()
        if not was_finished:
            before = float(client.get_run(run.id).data.tags.get(SECONDS, 0))
            client.set_tag(run.id, SECONDS, f"{before + time.monotonic() - begun:.1f}")
        client.set_terminated(run.id, status=status)


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM interrupts like Ctrl-C, so that a stopped run is marked and keeps its checkpoint."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
