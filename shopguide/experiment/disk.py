"""The disk that a sweep takes: within a budget, its best jobs keep their files.

First go the checkpoints of jobs that are done, from the worst job on: they are for going on with training, and there is
nothing to go on with. Then the models of fine-tuning, from the worst job on; the best job keeps its own, and a
pretraining that jobs share stays. Over folds, models go when a setting is chosen, which is not that of the best job.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from shopguide.runs.compare import sweep_table
from shopguide.runs.identity import alone
from shopguide.runs.store import CHECKPOINTS, REMOVED, Store

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun
    from mlflow.store.artifact.artifact_repo import ArtifactRepository

GIGABYTE = 1e9
MODEL = "model"
DONE = ("FINISHED", "PRUNED")


def keep_within(
    store: Store, sweep: str, sort_by: str, root: Path, gigabytes: float, best: str | None = None, models: bool = True
) -> None:
    """Remove files of a sweep's jobs until it takes no more than so much, or nothing is left that may go.

    Args:
        store: of the runs.
        sweep: id of the sweep's run.
        sort_by: the metric by which jobs are good.
        root: folder of the checkpoints' folder.
        gigabytes: of checkpoints and models together, 10⁹ bytes each.
        best: id of the job that keeps its models; None: the best by the metric.
        models: whether models may go, or checkpoints alone.

    Raises:
        OSError, MlflowException: files that cannot be removed.
    """
    with alone(root, f"disk-{sweep}", wait=True):
        rows = sweep_table(store, sweep, sort_by)
        phases = {row["id"]: store.find_children(row["id"]) for row in rows}
        taken = {run.info.run_id: taken_by(store, run, root) for runs in phases.values() for run in runs}
        total = sum(map(sum, taken.values()))
        best, removed = best or (rows[0]["id"] if rows else None), 0
        for what in range(1 + models):
            for row in reversed(rows):
                for run in phases[row["id"]] if row["status"] in DONE else ():
                    size = taken[run.info.run_id][what]
                    of_best = row["id"] == best
                    if total - removed <= gigabytes * GIGABYTE or not size or (what and _stays(run, of_best)):
                        continue
                    _remove_model(store, run) if what else shutil.rmtree(root / CHECKPOINTS / run.info.run_id)
                    removed += size
    if removed:
        left = (total - removed) / GIGABYTE
        print(f"disk: {removed / GIGABYTE:,.2f} GB removed of the sweep's worst jobs, {left:,.2f} left", flush=True)


def _stays(phase: "MlflowRun", of_the_best: bool) -> bool:
    return of_the_best or phase.data.tags.get("shopguide.phase") == "pretrain"


def taken_by(store: Store, phase: "MlflowRun", root: Path) -> tuple[int, int]:
    """Bytes of a phase's checkpoints, and of its model.

    Args:
        store: of the run.
        phase: its run.
        root: folder of the checkpoints' folder.
    """
    checkpoints = sum(_size(file) for file in (root / CHECKPOINTS / phase.info.run_id).rglob("*"))
    return checkpoints, sum(_sizes(_files(store, phase), MODEL))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except FileNotFoundError:  # a job that is training has put another in its place
        return 0


def _files(store: Store, phase: "MlflowRun") -> "ArtifactRepository":
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    return get_artifact_repository(phase.info.artifact_uri, tracking_uri=store.uri)


def _sizes(files: "ArtifactRepository", path: str) -> Iterator[int]:
    for found in files.list_artifacts(path):
        if found.is_dir:
            yield from _sizes(files, found.path)
        else:
            yield found.file_size or 0


def _remove_model(store: Store, phase: "MlflowRun") -> None:
    store.client.set_tag(phase.info.run_id, REMOVED, "sweep.disk_gb")
    _files(store, phase).delete_artifacts(MODEL)
