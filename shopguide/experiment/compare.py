"""Runs beside each other: which are compared, by what, and the page that shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException

from shopguide.errors import RunError, nearest
from shopguide.runs.compare import Row, job_rows, sign_of
from shopguide.runs.comparing_figures import curves_figure, frontier_figure, grid_figure, parallel_figure
from shopguide.runs.costs import dev_curves, with_costs
from shopguide.runs.page import columns, page
from shopguide.runs.replicates import against, replicated
from shopguide.runs.store import REFIT, Store

PAGE = "comparison.html"
SHOWN = 40
"""Settings of the terminal's table."""
Chosen = tuple[list[MlflowRun], str | None, str]
"""Experiments' runs, the sweep that they are all of, and what they are called."""


@dataclass(frozen=True)
class Comparison:
    """Settings beside each other."""

    title: str
    about: str
    metric: str
    settings: list[Row]
    """The best first."""
    html: str


def compare_runs(store: Store, runs: Sequence[str], query: str | None, metric: str, baseline: str | None) -> Comparison:
    """Compare runs of experiments; of one sweep, the page is logged to the sweep's run, too.

    Args:
        store: of the runs.
        runs: ids of experiments' runs or of sweeps, or their first digits; none: the latest sweep.
        query: instead, an MLflow filter of experiments' runs.
        metric: of the experiments' runs.
        baseline: a run of the setting that the others are compared with; None: the best one.

    Raises:
        RunError: there are no such runs, or none has the metric.
    """
    jobs, sweep, title = _filtered(store, query) if query else _named(store, runs) if runs else _latest(store)
    jobs = [job for job in jobs if REFIT not in job.data.tags]
    rows = with_costs(store, job_rows(jobs, metric), jobs, metric)
    settings = replicated(rows, metric)
    if not settings:
        known = {name for job in jobs for name in job.data.metrics}
        raise RunError(f"metric={metric}: none of the {len(jobs)} runs has it{nearest(metric, known)}")
    settings.sort(key=lambda row: sign_of(metric) * row["mean"])
    own = settings[0] if baseline is None else _baseline(settings, baseline)
    told = against(settings, own, metric)
    about = _about(told, len(jobs) - sum(len(row["runs"]) for row in settings))
    html = page(title, about, told, metric, _figures(store, rows, told, metric))
    if sweep is not None:
        store.client.log_text(sweep, html, PAGE)
    return Comparison(title, about, metric, told, html)


def _latest(store: Store) -> Chosen:
    sweeps = store.find_all("tags.`shopguide.kind` = 'sweep'")
    if not sweeps:
        raise RunError("no sweep has been run yet (shopguide.train -m …); name runs=[…] of experiments, or a filter")
    return _of_sweep(store, sweeps[0])


def _of_sweep(store: Store, sweep: MlflowRun) -> Chosen:
    return store.find_children(sweep.info.run_id), sweep.info.run_id, str(sweep.info.run_name)


def _named(store: Store, runs: Sequence[str]) -> Chosen:
    known = store.find_all("tags.`shopguide.kind` = 'sweep'"), store.find_all("tags.`shopguide.kind` = 'experiment'")
    chosen: dict[str, MlflowRun] = {}
    for name in runs:
        sweeps, experiments = ([run for run in kind if _is(run, name)] for kind in known)
        if len(sweeps) + len(experiments) != 1:
            raise RunError(
                f"runs={name}: expected the id of an experiment's run or of a sweep, or six or more of its first "
                f"digits, found {len(sweeps) + len(experiments) or 'none'}"
            )
        if sweeps and len(runs) == 1:
            return _of_sweep(store, sweeps[0])
        jobs = store.find_children(sweeps[0].info.run_id) if sweeps else experiments
        chosen |= {job.info.run_id: job for job in jobs}
    return list(chosen.values()), None, f"{len(chosen)} runs"


def _is(run: MlflowRun, name: str) -> bool:
    return bool(run.info.run_id == name or (len(name) >= 6 and run.info.run_id.startswith(name)))


def _filtered(store: Store, query: str) -> Chosen:
    try:
        jobs = store.find_all(f"tags.`shopguide.kind` = 'experiment' and {query}")
    except MlflowException as error:
        raise RunError(f"filter={query}: expected an MLflow filter such as params.lr = '1e-4'; {error}") from error
    if not jobs:
        raise RunError(f"filter={query}: no experiment's run is like that")
    return jobs, None, f"runs with {query}"


def _baseline(settings: Sequence[Row], baseline: str) -> Row:
    found = [s for s in settings if any(run["id"].startswith(baseline) for run in s["runs"])]
    if len(found) != 1 or len(baseline) < 6:
        raise RunError(
            f"baseline={baseline}: expected the id of one of the compared runs, or six or more of its first digits, "
            f"found {len(found) or 'none'}"
        )
    return found[0]


def _about(settings: Sequence[Row], without: int) -> str:
    base = next(row for row in settings if row["is_baseline"])
    words = ", ".join(f"{k}={v}" for k, v in base["settings"].items()) or "the only setting"
    several = any(len(row["values"]) > 1 for row in settings)
    how = "p: paired t-test over seeds or folds" if several else "one run a setting: no test"
    missing = f"; {without} runs without the metric are left out" if without else ""
    return f"gain: over {words}; {how}{missing}"


def _figures(store: Store, rows: Sequence[Row], settings: Sequence[Row], metric: str) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    varied = [name for name in settings[0]["settings"] if len({row["settings"].get(name) for row in settings}) > 1]
    if {"lr", "epochs"} <= set(varied):
        grid = _over(settings, ("lr", "epochs"), metric)
        figures["Learning rate and epochs"] = grid_figure(grid, metric, grid[0])
    if len(settings) > 1:
        figures["Settings"] = parallel_figure(settings, metric)
        figures["Quality and time"] = frontier_figure(settings, metric, sign_of(metric) > 0)
    curves, drawn = dev_curves(store, rows)
    if curves:
        figures["Learning curves"] = curves_figure(curves, drawn)
    return figures


def _over(settings: Sequence[Row], names: Sequence[str], metric: str) -> list[Row]:
    """The means by two settings, over all others; the best first."""
    rows = [run for row in settings for run in row["runs"]]
    others = [name for name in rows[0]["settings"] if name not in names]
    return sorted(replicated(rows, metric, others), key=lambda row: sign_of(metric) * row["mean"])


def render(found: Comparison) -> Any:
    """The table for the terminal."""
    from rich.table import Table

    table = Table(title=found.title, header_style="bold", caption=found.about)
    columned = columns(found.settings, found.metric)
    for name, _, _ in columned:
        table.add_column(name, justify="left" if name in found.settings[0]["settings"] else "right")
    for number in range(min(SHOWN, len(found.settings))):
        table.add_row(*(shown[number] for _, _, shown in columned))
    return table
