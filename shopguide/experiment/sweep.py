"""A sweep: jobs below one run, compared at the end."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from shopguide.config import Config
from shopguide.runs.compare import render_table, sweep_table
from shopguide.runs.figures import sweep_figure
from shopguide.runs.store import open_store
from shopguide.runs.tree import open_run


@contextlib.contextmanager
def tracked_sweep(config: Config, varying: list[str], jobs: int) -> Iterator[str]:
    """The id of the sweep's run; on leaving, the table of its jobs, sorted by `sort_by`, is printed and logged."""
    from rich.console import Console

    store = open_store(config.tracking.uri, config.tracking.experiment, Path(config.tracking.root))
    name = f"sweep {config.name} over {', '.join(varying) or 'nothing'}"
    with open_run(store, name, tags={"shopguide.kind": "sweep"}) as run:
        print(f"sweep of {jobs} jobs: run {run.id}", flush=True)
        yield run.id
        rows = sweep_table(store, run.id, config.sort_by)
        if rows:
            Console(width=140).print(render_table(rows, name))
            run.log_dict({"sorted_by": config.sort_by, "jobs": rows}, "comparison.json")
            run.log_figure(sweep_figure(rows, config.sort_by), "figures/comparison.png")
            run.set_tags({"best_run": str(rows[0]["id"])})
            print(f"best by {config.sort_by}: {rows[0]['name']}  run_id={rows[0]['id']}")
    print(f"run_id={run.id}", flush=True)
