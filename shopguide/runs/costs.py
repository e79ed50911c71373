"""What runs cost, how sure their metrics are, and their curves: from the runs of their phases."""

from collections import defaultdict
from collections.abc import Sequence

from mlflow.entities import Run as MlflowRun

from shopguide.runs.compare import Row
from shopguide.runs.store import MODEL_RUN, PRETRAIN_RUN, Store

CURVES = ("dev/macro_f1", "dev/f1", "dev/ndcg_at_10", "dev/recall_at_10", "dev/loss")
"""Of these, a phase's first one is drawn."""
DRAWN = 30
"""Runs whose curves are drawn, the best ones."""
Curve = list[tuple[int, float]]


def with_costs(store: Store, rows: Sequence[Row], jobs: Sequence[MlflowRun], metric: str) -> list[Row]:
    """The rows with what they cost: `seconds` of training, `tokens_per_second`, `peak_memory_gb`, `parameters`; with
    `low` and `high` of a task's metric; each None where it is not known; and with `phases`: phase → its run.

    Args:
        store: of the runs.
        rows: as `job_rows` makes them.
        jobs: their runs.
        metric: of which the 95 % interval is wanted.
    """
    phases, own = defaultdict(list), {job.info.run_id: job for job in jobs}
    by_id = {}
    for phase in store.find_all("tags.`shopguide.kind` = 'phase'"):
        phases[phase.data.tags.get("mlflow.parentRunId", "")].append(phase)
        by_id[phase.info.run_id] = phase
    told = []
    for row in rows:
        shared = own[row["id"]].data.tags.get(PRETRAIN_RUN)
        of_it = {phase.data.tags["shopguide.phase"]: phase for phase in phases[row["id"]]}
        if shared in by_id:
            of_it.setdefault("pretrain", by_id[shared])
        told.append({**row, **_cost(list(of_it.values())), **_interval(of_it, metric), "phases": of_it})
    return told


def _cost(phases: Sequence[MlflowRun]) -> Row:
    trained = [phase for phase in phases if MODEL_RUN not in phase.data.tags]
    metrics = [phase.data.metrics for phase in trained if "cost/training_seconds" in phase.data.metrics]
    seconds = sum(own["cost/training_seconds"] for own in metrics)
    tokens = sum(own["cost/tokens_per_second"] * own["cost/training_seconds"] for own in metrics)
    return {
        "seconds": seconds if metrics else None,
        "tokens_per_second": tokens / seconds if seconds else None,
        "peak_memory_gb": max((own["cost/peak_memory_gb"] for own in metrics), default=None),
        "parameters": max((own["cost/parameters"] for own in metrics if "cost/parameters" in own), default=None),
    }


def _interval(phases: dict[str, MlflowRun], metric: str) -> Row:
    task, _, name = metric.partition("/")
    known = phases[f"finetune {task}"].data.metrics if f"finetune {task}" in phases else {}
    split = "test" if f"test/{name}" in known else "dev_final"
    return {end: known.get(f"{split}/{name}.{end}") for end in ("low", "high")}


def dev_curves(store: Store, rows: Sequence[Row]) -> tuple[dict[str, dict[str, Curve]], dict[str, str]]:
    """Phase → name of the run → points of its dev metric, and phase → which metric that is.

    Args:
        store: of the runs.
        rows: as `with_costs` makes them, the best first; the first ones' curves are read.
    """
    metrics: dict[str, str] = {}
    curves: dict[str, dict[str, Curve]] = defaultdict(dict)
    for row in rows[:DRAWN]:
        for name, phase in sorted(row["phases"].items()):
            chosen = metrics.get(name) or next((m for m in CURVES if m in phase.data.metrics), None)
            if chosen is None or chosen not in phase.data.metrics:
                continue
            metrics[name] = chosen
            points = store.client.get_metric_history(phase.info.run_id, chosen)
            curves[name][f"{row['name']} {row['id'][:8]}"] = sorted((point.step, point.value) for point in points)
    return dict(curves), metrics
