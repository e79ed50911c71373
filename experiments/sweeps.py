"""What finished sweeps reached, for the studies beside this file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import t

from shopguide.experiment.heads.head import head_of
from shopguide.runs.store import open_store


@dataclass(frozen=True)
class Trained:
    """A task's model of one job."""

    settings: dict[str, str]
    """Of the job, dotted."""
    task: str
    metric: str
    """The one that the task is known by."""
    value: float
    """On the test split; on the dev split where there is no other."""
    metrics: dict[str, float]
    """All that its run holds."""

    @property
    def seed(self) -> int:
        """Of the job."""
        return int(self.settings["seed"])

    @property
    def data(self) -> str:
        """Name of the set."""
        return self.settings["data.name"]


def trained(root: Path, experiments: Sequence[str]) -> Iterator[Trained]:
    """The task models of all finished jobs.

    Args:
        root: `tracking.root` of the sweeps.
        experiments: their `tracking.experiment`s.
    """
    for experiment in experiments:
        store = open_store(None, experiment, root, create=False)
        asked = "tags.`shopguide.kind` = 'experiment' and attributes.status = 'FINISHED'"
        for job in store.client.search_runs([store.experiment_id], asked, max_results=5000):
            for phase in store.find_children(job.info.run_id):
                tags, values = phase.data.tags, phase.data.metrics
                metric = head_of(tags.get("task_kind", "classification")).shown[0]
                split = "test" if f"test/{metric}" in values else "dev_final"
                if f"{split}/{metric}" in values:
                    yield Trained(job.data.params, tags["task"], metric, values[f"{split}/{metric}"], values)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half the width of its 95 % interval (Student's t)."""
    array = np.array(values)
    spread = array.std(ddof=1) if len(array) > 1 else float("nan")
    return float(array.mean()), float(t.ppf(0.975, len(array) - 1) * spread / np.sqrt(len(array)))
