"""What runs cost, how sure their metrics are, and their curves."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from shopguide.runs.compare import Row
from shopguide.runs.store import MODEL_RUN, Store

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun

PREFIX = "cost/"
"""Of the metrics that are no result: they are others each time."""
COSTS = {
    "seconds": "cost/training_seconds",
    "tokens_per_second": "cost/tokens_per_second",
    "peak_memory_gb": "cost/peak_memory_gb",
    "parameters": "cost/parameters",
}
"""Column → metric of an experiment's run."""
CURVES = ("dev/macro_f1", "dev/f1", "dev/ndcg_at_10", "dev/recall_at_10", "dev/loss")
"""Of these, a phase's first one is drawn."""
DRAWN = 12
"""Runs whose curves are drawn, the best ones."""
Curve = list[tuple[int, float]]


def experiment_costs(phases: "Iterable[MlflowRun]") -> dict[str, float]:
    """What an experiment cost: the sum of its phases' seconds of training, their tokens a second in the mean over that
    time, the largest of their peaks of memory and networks; each where a phase tells it.

    Args:
        phases: of the experiment; one whose model another phase trained costs nothing of its own.
    """
    trained = [phase.data.metrics for phase in phases if MODEL_RUN not in phase.data.tags]
    found = {}
    if seconds := [own[COSTS["seconds"]] for own in trained if COSTS["seconds"] in own]:
        found[COSTS["seconds"]] = sum(seconds)
        tokens = sum(own.get(COSTS["tokens_per_second"], 0.0) * own.get(COSTS["seconds"], 0.0) for own in trained)
        if tokens:
            found[COSTS["tokens_per_second"]] = tokens / sum(seconds)
    for name in (COSTS["peak_memory_gb"], COSTS["parameters"]):
        if known := [own[name] for own in trained if name in own]:
            found[name] = max(known)
    return found


def with_costs(rows: Sequence[Row], jobs: "Sequence[MlflowRun]", metric: str) -> list[Row]:
    """The rows with the columns of `COSTS`, and with `low` and `high`, the 95 % interval of a task's metric; each None
    where the run does not tell it.

    Args:
        rows: as `job_rows` makes them.
        jobs: their runs.
        metric: of which the interval is wanted.
    """
    own = {job.info.run_id: job.data.metrics for job in jobs}
    wanted = COSTS | {end: f"{metric}.{end}" for end in ("low", "high")}
    return [{**row, **{key: own[row["id"]].get(name) for key, name in wanted.items()}} for row in rows]


def dev_curves(store: Store, rows: Sequence[Row]) -> tuple[dict[str, dict[str, Curve]], dict[str, str]]:
    """Phase → name of the run → points of its dev metric, and phase → which metric that is.

    Args:
        store: of the runs.
        rows: of experiments' runs, the best first; the first ones' phases are read.
    """
    metrics: dict[str, str] = {}
    curves: dict[str, dict[str, Curve]] = defaultdict(dict)
    for row in rows[:DRAWN]:
        for phase in store.find_phases(row["id"]):
            name = phase.data.tags["shopguide.phase"]
            chosen = metrics.get(name) or next((m for m in CURVES if m in phase.data.metrics), None)
            if chosen is None or chosen not in phase.data.metrics:
                continue
            metrics[name] = chosen
            points = store.client.get_metric_history(phase.info.run_id, chosen)
            curves[name][f"{row['name']} {row['id'][:8]}"] = sorted((point.step, point.value) for point in points)
    return dict(curves), metrics
