"""Where runs are kept: MLflow on an embedded SQLite file by default, or any tracking server."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlparse
from urllib.request import url2pathname

from shopguide.errors import RunError
from shopguide.runs.apart import client_of
from shopguide.runs.identity import IDENTITY
from shopguide.runs.registry import EXPERIMENT, PREFIX, TASK, TASK_RUN, registered
from shopguide.runs.secrets import mask_uri

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun

    from shopguide.runs.client import Client

LISTED = 5
PAGE = 1000
MODEL_RUN = "shopguide.model_run"
"""Tag of a task's run whose model another run holds."""
PRETRAIN_RUN = "shopguide.pretrain_run"
"""Tag of an experiment's run: the run of its pretraining, its own or one that it shares with other jobs of a sweep."""
SWEEP_RUN = "shopguide.sweep"
"""Tag of a run that jobs of a sweep share: the sweep's id."""
REFIT = "shopguide.refit"
"""Tag of the run that trains what the jobs of a sweep chose: it is not one of those that are compared."""
REPRODUCES = "shopguide.reproduces"
"""Tag of an experiment that repeats another: the other's run."""
SECONDS = "shopguide.seconds"
"""Tag of a run: how long it was worked on, in all the processes that did; one that was killed has not told."""
PRUNED = "shopguide.pruned"
"""Tag of a run that a search gave up: when."""
REMOVED = "shopguide.removed"
"""Tag of a run whose model was removed: the setting that asked for it."""
CHECKPOINTS = "checkpoints"
"""Folder below `tracking.root`, in which each phase has one."""


def tracking_uri(uri: str | None, root: Path, create: bool = True) -> str:
    """The setting, or MLFLOW_TRACKING_URI, or SQLite below `root`."""
    chosen = uri or os.environ.get("MLFLOW_TRACKING_URI")
    if chosen:
        return chosen
    if create:
        root.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{root.absolute() / 'mlflow.db'}"


@dataclass(frozen=True)
class Store:
    """One MLflow experiment of one tracking store."""

    client: "Client"
    experiment_id: str
    uri: str

    def find_children(self, run_id: str) -> "list[MlflowRun]":
        """The runs right below a run, oldest first."""
        return self.find_all(f"tags.`mlflow.parentRunId` = '{run_id}'", "ASC")

    def parent(self, run_id: str) -> str | None:
        """The run that a run is right below."""
        found = self.client.get_run(run_id).data.tags.get("mlflow.parentRunId")
        return None if found is None else str(found)

    def find_phases(self, run_id: str) -> "list[MlflowRun]":
        """The phases of an experiment, oldest first: those below it, and a pretraining that it shares."""
        found = self.find_children(run_id)
        shared = self.client.get_run(run_id).data.tags.get(PRETRAIN_RUN)
        if shared is not None and shared not in {child.info.run_id for child in found}:
            found.append(self.client.get_run(shared))
        return sorted(found, key=lambda phase: phase.info.start_time)

    def find_all(self, query: str, order: Literal["ASC", "DESC"] = "DESC") -> "list[MlflowRun]":
        """All runs that an MLflow filter names, by when they were begun, the latest first.

        Raises:
            MlflowException: it is none.
        """
        found, token = [], None
        while True:
            page = self.client.search_runs(
                [self.experiment_id],
                query,
                max_results=PAGE,
                order_by=[f"attributes.start_time {order}"],
                page_token=token,
            )
            found += page
            if not (token := page.token):
                return found

    def find_done(self, identity: str, parent: str | None = None, sweep: str | None = None) -> "MlflowRun | None":
        """The oldest run of an identity.

        Args:
            identity: as `shopguide.runs.identity`.
            parent: id of the run that it is right below.
            sweep: id of the sweep that it belongs to, at whatever depth.
        """
        tags = {IDENTITY: identity, "mlflow.parentRunId": parent, SWEEP_RUN: sweep}
        query = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items() if value)
        found = self.client.search_runs([self.experiment_id], query, order_by=["attributes.start_time ASC"])
        return found[0] if found else None

    def resolve(self, run: str, key: str = "run") -> str:
        """The id of an experiment's run: `latest` (finished; of a sweep its best), an id, or six or more first digits.

        Args:
            run: as it was typed; also `models:/<name>@<alias>`.
            key: the setting that it was typed for.

        Raises:
            RunError: there is none; the message lists the last ones.
        """
        if run.startswith(PREFIX):
            return registered(self.client, run)[EXPERIMENT]
        runs = self.find_all("tags.`shopguide.kind` = 'experiment'")
        if run == "latest":
            found = [r for r in runs if r.info.status == "FINISHED"][:1]
            sweep = found[0].data.tags.get("mlflow.parentRunId") if found else None
            if sweep and (best := self._best_of_sweep(str(sweep))):
                return best
        else:
            found = [r for r in runs if r.info.run_id == run or (len(run) >= 6 and r.info.run_id.startswith(run))]
        if len(found) == 1:
            return str(found[0].info.run_id)
        if best := self._best_of_sweep(run):
            return best
        known = "\n".join(f"  {r.info.run_id}  {r.info.status:9}  {r.info.run_name}" for r in runs[:LISTED])
        listing = f"the last ones are:\n{known}" if known else "no experiment has been run yet (make train)"
        wanted = "a finished experiment" if run == "latest" else "the id of an experiment's run"
        raise RunError(f"{key}={run}: expected {wanted}, found {len(found) or 'none'}; {listing}")

    def _best_of_sweep(self, run: str) -> str | None:
        """The best job of a sweep, where `run` is a finished sweep's id or its first digits."""
        sweeps = self.find_all("tags.`shopguide.kind` = 'sweep'")
        found = [s.data.tags.get("best_run") for s in sweeps if len(run) >= 6 and s.info.run_id.startswith(run)]
        return found[0] if len(found) == 1 else None

    def task_runs(self, run: str, task: str | None) -> dict[str, str]:
        """Task → id of its finished fine-tuning run, below an experiment's run.

        Raises:
            RunError: the experiment has no such task.
        """
        if run.startswith(PREFIX):
            own = registered(self.client, run)
            if task not in (None, own[TASK]):
                raise RunError(f"task={task}: {run} is a model of task `{own[TASK]}`")
            return {own[TASK]: own[TASK_RUN]}
        run_id = self.resolve(run)
        phases = {c.data.tags.get("shopguide.phase", ""): c for c in self.find_children(run_id)}
        found: dict[str, str] = {
            name.removeprefix("finetune "): child.info.run_id
            for name, child in phases.items()
            if name.startswith("finetune ") and child.info.status == "FINISHED"
        }
        if task is None and found:
            return found
        if task is None or task not in found:
            if not found:
                raise RunError(f"run={run_id}: expected a task that is trained, found none: {self._why_none(run_id)}")
            raise RunError(f"task={task}: run {run_id} has no such task; it has: {', '.join(found)}")
        return {task: found[task]}

    def _why_none(self, run_id: str) -> str:
        run = self.client.get_run(run_id)
        if was_given_up(run):
            return f"its search gave it up: {run.data.tags[PRUNED]}"
        command = (
            "its sweep's command" if "mlflow.parentRunId" in run.data.tags else f"its command with resume={run_id}"
        )
        goes_on = f"; {command} goes on" if run.info.status in ("KILLED", "FAILED") else ""
        return f"no fine-tuning phase is finished, and it is {run.info.status}{goes_on}"

    def task_model(self, run: str, task: str | None) -> Path:
        """Folder of a task's model.

        Raises:
            RunError: there is no such task, or the experiment has several and none was named.
        """
        found = self.task_runs(run, task)
        if len(found) > 1:
            raise RunError(f"run={run} has several tasks; say which with task=… ({', '.join(found)})")
        (phase,) = found.values()
        if setting := self.client.get_run(self.model_run(phase)).data.tags.get(REMOVED):
            raise RunError(f"run={run}: its model was removed to keep the sweep within {setting}; train it alone")
        return self.artifact_folder(self.model_run(phase), "model") / "artifacts" / "huggingface"

    def task_name(self, run: str, task: str | None) -> str | None:
        """The task that was named, or the one that a registered model is of."""
        return registered(self.client, run)[TASK] if task is None and run.startswith(PREFIX) else task

    def model_run(self, task_run: str) -> str:
        """Id of the run that holds the model of a task's run: its own, or one that it shares."""
        return str(self.client.get_run(task_run).data.tags.get(MODEL_RUN, task_run))

    def artifact_folder(self, run_id: str, path: str) -> Path:
        """A run's artifacts as a local folder: in place where the store is local, else downloaded."""
        place = urlparse(self.client.get_run(run_id).info.artifact_uri)
        if place.scheme == "file":
            return Path(url2pathname(place.path)) / path
        from mlflow.artifacts import download_artifacts

        return Path(download_artifacts(run_id=run_id, artifact_path=path, tracking_uri=self.uri))

    def settings(self, run_id: str) -> dict[str, Any]:
        """The resolved settings of the experiment that a phase's run belongs to."""
        import json

        parent = self.client.get_run(run_id).data.tags["mlflow.parentRunId"]
        path = self.artifact_folder(parent, "config.json")
        settings: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return settings

    def fingerprint(self, run_id: str) -> str | None:
        """Of the records that the experiment of a phase's run was trained on."""
        parent = self.client.get_run(run_id).data.tags["mlflow.parentRunId"]
        found = self.client.get_run(parent).data.tags.get("fingerprint.data")
        return None if found is None else str(found)


def was_given_up(run: "MlflowRun") -> bool:
    """Whether a search gave a job up, and nobody has taken it up since."""
    return PRUNED in run.data.tags and run.info.status == "KILLED"


def open_store(uri: str | None, experiment: str, root: Path, create: bool = True) -> Store:
    """Connect, and make the MLflow experiment if it is new; with `create=False`, no new embedded store.

    Raises:
        RunError: the store cannot be reached.
    """
    try:
        chosen = tracking_uri(uri, root, create)
    except OSError as error:
        raise RunError(f"tracking.root={root}: expected a folder to write to ({error})") from error
    if not create and chosen == f"sqlite:///{root.absolute() / 'mlflow.db'}" and not (root / "mlflow.db").exists():
        raise RunError(f"tracking.root={root}: no experiment has been run there yet (make train)")
    location = (root.absolute() / "artifacts").as_uri() if chosen.startswith("sqlite:") else None
    try:
        client = client_of(chosen, create)
        return Store(client, client.experiment(experiment, location), chosen)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise RunError(f"tracking.uri={mask_uri(chosen)}: the MLflow store does not answer ({reason[:200]})") from error


def model_place(name: str, store: Callable[[], Store], run: str) -> tuple[Path, str | None]:
    """Where a model is that is named as a task of a run, or by its folder; and of which of its tasks.

    Args:
        name: of the task; of the folder, where it has several parts or the run has no such task.
        store: opens the store; not asked for a folder of several parts.
        run: of the task.
    """
    folder = Path(name).expanduser()
    if len(folder.parts) > 1:
        return folder, None
    try:
        return store().task_model(run, name), name
    except RunError:
        if folder.is_dir():
            return folder, None
        raise
