"""A sweep: jobs below one run, compared at the end.

The same sweep typed again goes on below the same run: it is known by what was typed and is the same for all jobs, and
by the keys that vary. So a killed sweep is finished by its own command, and more values make more jobs.
"""

import contextlib
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopguide.config import Config
from shopguide.experiment.choosing import choose
from shopguide.experiment.disk import taken_by
from shopguide.experiment.identities import ABOUT_THE_COMMAND, experiment_identity, settings_of
from shopguide.experiment.prepare import load_material
from shopguide.experiment.run import keep_to_disk, open_named
from shopguide.experiment.search import print_search
from shopguide.grid import Grid
from shopguide.runs.compare import render_table, seconds_of, sweep_table
from shopguide.runs.identity import IDENTITY, identity
from shopguide.runs.tree import open_run

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun

    from shopguide.runs.compare import Row
    from shopguide.runs.store import Store
    from shopguide.runs.tree import Run

NOT_OF_IT = (*ABOUT_THE_COMMAND, "tracking", "hydra")
"""First words of keys that may change from one command to the next of the same sweep."""
STATES = {"FINISHED": "done", "FAILED": "failed: again", "KILLED": "stopped: goes on", "RUNNING": "cut: goes on"}
NEW = "new"
MEGABYTE = 1e6


@contextlib.contextmanager
def tracked_sweep(grid: Grid) -> Iterator[str]:
    """The id of the sweep's run; on leaving, the table of its jobs, sorted by `sort_by`, is printed and logged."""
    from rich.console import Console

    from shopguide.runs.comparing_figures import sweep_figure

    config: Config = grid.configs[0]
    store, own, before = open_named(config), sweep_identity(grid), _before(grid)
    name = f"sweep {config.name} over {', '.join(grid.varying) or 'nothing'}"
    tags = {"shopguide.kind": "sweep", IDENTITY: own}
    with open_run(store, name, tags=tags, resume=before) as run:
        what = f"search of {config.sweep.trials} jobs" if grid.axes else f"sweep of {len(grid.configs)} jobs"
        print(f"{what}: run {run.id}{' goes on' if before else ''}", flush=True)
        try:
            yield run.id
        except (KeyboardInterrupt, SystemExit):
            print("stopped: the same command goes on", flush=True)
            raise
        rows = sweep_table(store, run.id, config.sort_by)
        if rows:
            Console(width=140).print(render_table(rows, name))
            run.log_dict({"sorted_by": config.sort_by, "jobs": rows}, "comparison.json")
            run.log_figure(sweep_figure(rows, config.sort_by), "figures/comparison.png")
            if config.cv.folds:
                if chosen := choose(run, rows, grid):
                    keep_to_disk(config, run.id, chosen)
            else:
                _name_best(run, rows, config.sort_by, _others(grid, rows))
                keep_to_disk(config, run.id)
    print(f"run_id={run.id}", flush=True)


def _name_best(run: "Run", rows: list["Row"], metric: str, others: str) -> None:
    """Print and tag the first of the jobs, unless none has reached anything."""
    best = rows[0]
    if math.isnan(best["metrics"].get(metric, math.nan)):
        print(f"best by {metric}: none of the jobs has a number there{others}")
        return
    run.set_tags({"best_run": str(best["id"])})
    print(f"best by {metric}: {best['name']}  run_id={best['id']}{others}")


def _others(grid: Grid, rows: list["Row"]) -> str:
    """Of a grid: how many of the jobs are those of earlier commands."""
    own = {f"{grid.configs[0].name} {label}".strip() for label in grid.labels}
    others = sum(row["name"] not in own for row in rows) if not grid.axes else 0
    return f"; {others} of the {len(rows)} jobs are of earlier commands" if others else ""


def sweep_identity(grid: Grid) -> str:
    """Of what was typed and is the same for all jobs, and of the keys that vary; of a search, within what they do."""
    typed = [word.lstrip("+") for word in grid.fixed]
    fixed = sorted(word for word in typed if word.split("=")[0].split(".")[0] not in NOT_OF_IT)
    own: dict[str, Any] = {"fixed": fixed, "varying": sorted(grid.varying), "of": "sweep"}
    if grid.axes:
        own |= {"search": grid.configs[0].sweep.search, "space": [asdict(axis) for axis in grid.axes]}
    return identity(own)


def _before(grid: Grid) -> str | None:
    """The id of the sweep's run that the same command goes on with."""
    config: Config = grid.configs[0]
    is_new = config.tracking.uri is None and not (Path(config.tracking.root) / "mlflow.db").exists()
    return None if is_new or config.sweep.fresh else _last(open_named(config), sweep_identity(grid))


def _last(store: "Store", own: str) -> str | None:
    """The id of the last run of a sweep."""
    query = f"tags.`{IDENTITY}` = '{own}' and tags.`shopguide.kind` = 'sweep'"
    order = ["attributes.start_time DESC"]
    found = store.client.search_runs([store.experiment_id], query, order_by=order, max_results=1)
    return str(found[0].info.run_id) if found else None


def print_plan(grid: Grid) -> None:
    """A table of the jobs, what is done of each, and how long the rest may take and how much disk, by those that are
    done.
    """
    from rich.console import Console
    from rich.table import Table

    if grid.axes:
        print_search(grid, _before(grid))
        return
    table = Table(title=f"plan of {len(grid.configs)} jobs", header_style="bold")
    for title in ("job", "state", "run", grid.configs[0].sort_by):
        table.add_column(title)
    done, equal = dict(_done(grid)), _equals(grid)
    for place, label in enumerate(grid.labels):
        twin = equal.get(place)
        cells = _cells(done.get(place), grid.configs[0].sort_by)
        table.add_row(label or "the only job", *(cells if twin is None else [f"as {grid.labels[twin]}", "", ""]))
    Console(width=140).print(table)
    print(_rest(grid, [done.get(place) for place in range(len(grid.configs)) if place not in equal]))


def _equals(grid: Grid) -> dict[int, int]:
    """Place of a job → that of an earlier one with the same settings, which does for both."""
    first: dict[str, int] = {}
    found = [(place, first.setdefault(identity(settings_of(job)), place)) for place, job in enumerate(grid.configs)]
    return {place: before for place, before in found if place != before}


def _done(grid: Grid) -> Iterator[tuple[int, "MlflowRun"]]:
    """Place of a job in the grid, and its run, where it has one."""
    if (sweep := _before(grid)) is None:
        return
    store = open_named(grid.configs[0])
    fingerprints: dict[str, str] = {}
    for place, job in enumerate(grid.configs):
        data = identity({"data": job.data})
        if data not in fingerprints:
            fingerprints[data] = load_material(job.data).shop.fingerprint
        if found := store.find_done(experiment_identity(job, fingerprints[data]), parent=sweep):
            yield place, found


def _cells(run: "MlflowRun | None", metric: str) -> list[str]:
    if run is None:
        return [NEW, "", ""]
    value = run.data.metrics.get(metric)
    return [STATES.get(run.info.status, run.info.status), run.info.run_id[:8], "" if value is None else f"{value:.4f}"]


def _rest(grid: Grid, runs: Sequence["MlflowRun | None"]) -> str:
    """What is left of the jobs, each with its run if it has one."""
    finished = [run for run in runs if run is not None and run.info.status == "FINISHED"]
    left, config = len(runs) - len(finished), grid.configs[0]
    if not finished or not left:
        return f"{left} of {len(runs)} jobs to do"
    each = statistics.median(seconds_of(run) for run in finished)
    store, root = open_named(config), Path(config.tracking.root)
    phases = [store.find_children(run.info.run_id) for run in finished]
    disk = statistics.median(sum(sum(taken_by(store, phase, root)) for phase in own) for own in phases) / MEGABYTE
    kept = f", of which sweep.disk_gb={config.sweep.disk_gb:g} keeps so much" if config.sweep.disk_gb else ""
    return (
        f"{left} of {len(runs)} jobs to do, about {left * each:,.0f} s and {left * disk:,.1f} MB of disk{kept} "
        f"({each:,.0f} s and {disk:,.1f} MB a finished job)"
    )
