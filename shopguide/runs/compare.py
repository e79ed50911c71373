"""Jobs of a sweep side by side: what differs between them, and what they reached."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shopguide.runs.store import REFIT, SECONDS, Store, was_given_up

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun

Row = dict[str, Any]
METRICS = ("dev/score", "test/score")
LOWER_IS_BETTER = ("loss", "perplexity", "ece", "rmse")


def sweep_table(store: Store, sweep_id: str, sort_by: str) -> list[Row]:
    """One row a job: `name`, `id`, `status`, `settings` that differ, `metrics`, `seconds`; the best first.

    Jobs without the metric (failed ones), or where it is NaN (diverged ones), come last. The run that trains what they
    chose is not one of them.
    """
    return job_rows([job for job in store.find_children(sweep_id) if REFIT not in job.data.tags], sort_by)


def job_rows(jobs: "Sequence[MlflowRun]", sort_by: str) -> list[Row]:
    """As `sweep_table`, of any experiments' runs."""
    keys = {key for job in jobs for key in job.data.params}
    differing = [k for k in sorted(keys) if len({job.data.params.get(k) for job in jobs}) > 1]
    shown = _short(differing, jobs)
    wanted = [sort_by, *(name for name in METRICS if name != sort_by)]
    rows = []
    for job in jobs:
        rows.append(
            {
                "name": job.info.run_name,
                "id": job.info.run_id,
                "status": "PRUNED" if was_given_up(job) else job.info.status,
                "settings": {key: job.data.params.get(key, "") for key in shown},
                "metrics": {name: job.data.metrics[name] for name in wanted if name in job.data.metrics},
                "seconds": seconds_of(job),
            }
        )
    sign = sign_of(sort_by)

    def place(row: Row) -> float:
        value = sign * row["metrics"].get(sort_by, math.nan)
        return math.inf if math.isnan(value) else value

    return sorted(rows, key=place)


def seconds_of(job: "MlflowRun") -> float:
    """How long it was worked on."""
    end = job.info.end_time or job.info.start_time
    return float(job.data.tags.get(SECONDS, (end - job.info.start_time) / 1000))


def sign_of(metric: str) -> int:
    """1 where the lowest value is the best, else -1."""
    return 1 if metric.endswith(LOWER_IS_BETTER) else -1


def _short(keys: Sequence[str], jobs: "Sequence[MlflowRun]") -> list[str]:
    """Without the long keys that repeat a short one in every job (`optimizer.lr` repeats `lr`)."""

    def repeats(key: str) -> bool:
        short = key.rpartition(".")[2]
        return short != key and all(job.data.params.get(short) == job.data.params.get(key) for job in jobs)

    return [key for key in keys if not repeats(key)]


def render_table(rows: list[Row], title: str) -> Any:
    """The rows as a table for the terminal."""
    from rich.table import Table

    table = Table(title=title, header_style="bold")
    settings, metrics = list(rows[0]["settings"]), list(rows[0]["metrics"])
    for name in ("run", *settings):
        table.add_column(name)
    for name in (*metrics, "seconds"):
        table.add_column(name, justify="right")
    table.add_column("status")
    for row in rows:
        values = [f"{row['metrics'][m]:.4f}" if m in row["metrics"] else "" for m in metrics]
        cells = [row["id"][:8], *(str(row["settings"][s]) for s in settings), *values]
        table.add_row(*cells, f"{row['seconds']:.0f}", row["status"])
    return table
