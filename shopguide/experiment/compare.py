"""Runs beside each other: which are compared, by what, and the page that shows it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException

from shopguide.config import FOLD
from shopguide.errors import RunError, nearest
from shopguide.runs.compare import Row, job_rows, sign_of
from shopguide.runs.comparing_figures import curves_figure, frontier_figure, grid_figure, parallel_figure
from shopguide.runs.costs import dev_curves, with_costs
from shopguide.runs.identity import IDENTITY
from shopguide.runs.page import columns, page
from shopguide.runs.replicates import against, fold_overlap, replicated
from shopguide.runs.store import REFIT, REPRODUCES, Store, was_given_up

PAGE = "comparison.html"
"""Artifact of a sweep's run."""
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
    sweep: str | None
    """Id of the sweep that all runs are of."""


def compare_runs(store: Store, runs: Sequence[str], query: str | None, metric: str, baseline: str | None) -> Comparison:
    """Compare runs of experiments.

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
    ids = {job.info.run_id for job in jobs}
    jobs = [job for job in jobs if job.data.tags.get(REPRODUCES) not in ids]  # what is repeated is no further sample
    jobs, again = _once(jobs, metric, baseline)
    rows = with_costs(job_rows(jobs, metric), jobs, metric)
    settings = replicated(rows, metric)
    if not settings:
        known = {name for job in jobs for name in job.data.metrics}
        raise RunError(f"metric={metric}: none of the {len(jobs)} runs has it{nearest(metric, known)}")
    settings.sort(key=lambda row: sign_of(metric) * row["mean"])
    own = settings[0] if baseline is None else _baseline(settings, baseline)
    told = against(settings, own, metric, _overlap(jobs))
    compared = {run["id"] for row in settings for run in row["runs"]}
    about = _about(told, baseline is None, [job for job in jobs if job.info.run_id not in compared], again)
    html = page(title, about, told, metric, _figures(store, rows, told, metric))
    return Comparison(title, about, metric, told, html, sweep)


def _once(jobs: Sequence[MlflowRun], metric: str, baseline: str | None) -> tuple[list[MlflowRun], int]:
    """Each run once, and how many are another's equal: the same settings, data and outcome are no further sample.

    Of equals the baseline stays.
    """
    found: dict[tuple[str, float | None], MlflowRun] = {}
    for job in jobs:
        own, value = job.data.tags.get(IDENTITY, job.info.run_id), job.data.metrics.get(metric)
        key = (own, value) if value is not None else (job.info.run_id, None)
        if key not in found or (baseline and job.info.run_id.startswith(baseline)):
            found[key] = job
    return list(found.values()), len(jobs) - len(found)


def _overlap(jobs: Sequence[MlflowRun]) -> float:
    """Of the folds, where the runs are those of a cross-validation."""
    known = [job.data.params for job in jobs if job.data.params.get(FOLD, "None") != "None"]
    if not known:
        return 0.0
    return fold_overlap(int(known[0]["data.split.folds"]), known[0].get("data.split.by") == "user_time")


def _latest(store: Store) -> Chosen:
    sweeps = store.find_all("tags.`shopguide.kind` = 'sweep'")
    if not sweeps:
        raise RunError("no sweep has been run yet (shopguide.train -m …); name runs=[…] of experiments, or a filter")
    return _of_sweep(store, sweeps[0])


def _of_sweep(store: Store, sweep: MlflowRun) -> Chosen:
    jobs = [job for job in store.find_children(sweep.info.run_id) if REFIT not in job.data.tags]
    return jobs, sweep.info.run_id, str(sweep.info.run_name)


def _named(store: Store, runs: Sequence[str]) -> Chosen:
    known = store.find_all("tags.`shopguide.kind` = 'sweep'"), store.find_all("tags.`shopguide.kind` = 'experiment'")
    if list(runs) == ["latest"]:
        return _latest(store)
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
        jobs = _of_sweep(store, sweeps[0])[0] if sweeps else experiments
        chosen |= {job.info.run_id: job for job in jobs}
    return list(chosen.values()), None, f"{len(chosen)} runs"


def _is(run: MlflowRun, name: str) -> bool:
    return bool(run.info.run_id == name or (len(name) >= 6 and run.info.run_id.startswith(name)))


def _filtered(store: Store, query: str) -> Chosen:
    try:
        jobs = store.find_all(f"tags.`shopguide.kind` = 'experiment' and {query}")
    except MlflowException as error:
        raise RunError(
            f"filter={query}: expected an MLflow filter such as params.lr = '0.0001' (values are words, as the run "
            f"shows them) or metrics.`dev/score` > 0.5; {error}"
        ) from error
    if not jobs:
        raise RunError(f"filter={query}: no experiment's run is like that (params are words, as the run shows them)")
    return jobs, None, f"runs with {query}"


def _baseline(settings: Sequence[Row], baseline: str) -> Row:
    found = [s for s in settings if any(run["id"].startswith(baseline) for run in s["runs"])]
    if len(found) != 1 or len(baseline) < 6:
        raise RunError(
            f"baseline={baseline}: expected the id of one of the compared runs, or six or more of its first digits, "
            f"found {len(found) or 'none'}"
        )
    return found[0]


def _about(settings: Sequence[Row], is_best: bool, left_out: Sequence[MlflowRun], again: int) -> str:
    """What gain and p mean."""
    base = next(row for row in settings if row["is_baseline"])
    words = ", ".join(f"{k}={v}" for k, v in base["settings"].items()) or "the only setting"
    several = any(len(row["values"]) > 1 for row in settings)
    how = "p: paired t-test over seeds or folds, corrected for as many tests (Holm)"
    if not several:
        how = "one run a setting: no test"
    elif is_best:
        how += "; the best was found by the same figures: name another with baseline=<run> for a fair test"
    how += "; interval: of the mean over runs (Student's t), of one run over its test examples"
    given_up = sum(was_given_up(run) for run in left_out)
    counted = {
        "given up by their search": given_up,
        "without the metric": len(left_out) - given_up,
        "made again": again,
    }
    missing = " and ".join(f"{count} {why}" for why, count in counted.items() if count)
    return f"gain: over {words}; {how}" + (f"; runs left out: {missing}" if missing else "")


def _figures(store: Store, rows: Sequence[Row], settings: Sequence[Row], metric: str) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    varied = [name for name in settings[0]["settings"] if len({row["settings"].get(name) for row in settings}) > 1]
    if {"lr", "epochs"} <= set(varied):
        others = "" if len(varied) == 2 else f"{metric}: the best of the other settings"
        grid = _best_over(settings, ("epochs", "lr"))
        figures["Learning rate and epochs"] = grid_figure(grid, metric, grid[0], others)
    if len(settings) > 1:
        figures["Settings"] = parallel_figure(settings, metric)
        if timed := [row for row in settings if row["seconds"] is not None]:
            figures["Quality and time"] = frontier_figure(timed, metric, sign_of(metric) > 0)
    curves, drawn = dev_curves(store, rows)
    if curves:
        figures["Learning curves"] = curves_figure(curves, drawn)
    return figures


def _best_over(settings: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """For each pair of values of two settings the best one of all others; the best first, as they are given."""
    found: dict[tuple[str, ...], Row] = {}
    for row in settings:
        own = {name: row["settings"][name] for name in names}
        found.setdefault(tuple(own.values()), {**row, "settings": own})
    return list(found.values())


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


def log_page(store: Store, found: Comparison) -> None:
    """To the run of the sweep that was compared, the page; where the store takes none, it is told.

    Args:
        store: of the runs.
        found: the comparison.
    """
    if found.sweep is None:
        return
    try:
        store.client.log_text(found.sweep, found.html, PAGE)
    except (MlflowException, OSError) as error:
        print(f"the page was not logged to run {found.sweep}: {error}", file=sys.stderr)
