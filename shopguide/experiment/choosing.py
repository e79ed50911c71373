"""Of a cross-validation: the settings by their mean over the folds, the one to take, and a model trained with it."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from shopguide.checks import parse_config
from shopguide.config import FOLD, Config, CrossValidationConfig
from shopguide.experiment.run import Job, open_named, run_experiment
from shopguide.grid import Grid
from shopguide.runs.compare import Row
from shopguide.runs.tree import Run

REFIT_LABEL = "chosen"


def choose(run: Run, rows: Sequence[Row], grid: Grid) -> str | None:
    """Print and log what to take; with `cv.refit`, train it below the sweep's run, which then names it as its best.

    Args:
        run: of the sweep.
        rows: of its jobs, as `sweep_table` makes them.
        grid: the jobs.

    Returns:
        Id of the best job of those with the setting to take; None: no setting has a job in each fold.
    """
    from rich.console import Console

    from shopguide.runs.comparing_figures import folds_figure, grid_figure
    from shopguide.runs.folds import chosen, over_folds, render_folds

    config: Config = grid.configs[0]
    assert config.cv.folds is not None
    settings = over_folds(rows, config.sort_by, config.cv.folds)
    if not settings:
        return None
    picked = chosen(settings, config.sort_by)
    Console(width=140).print(render_folds(settings, f"{config.sort_by} over {config.cv.folds} folds", picked))
    run.log_dict({"metric": config.sort_by, "settings": settings, "chosen": picked["settings"]}, "folds.json")
    run.log_figure(folds_figure(settings, config.sort_by, picked), "figures/folds.png")
    if len(picked["settings"]) == 2:
        run.log_figure(grid_figure(settings, config.sort_by, picked), "figures/grid.png")
    words = [f"{name}={value}" for name, value in picked["settings"].items()]
    best = next(row for row in rows if _settings(row) == picked["settings"])
    run.set_tags({"chosen": " ".join(words), "best_run": str(best["id"])})
    print(f"chosen, the simplest within a standard error of the best: {' '.join(words) or 'the only setting'}")
    if config.cv.refit and len(picked["values"]) == config.cv.folds:
        job = Job(run.id, f"{REFIT_LABEL} {' '.join(words)}".strip(), refit=True)
        trained = run_experiment(_without_folds(_kept(config, str(best["id"])), config), job)
        run.set_tags({"best_run": trained.run_id})
        print(f"trained with it, without folds: run_id={trained.run_id}; run={run.id} stands for it", flush=True)
    else:
        print(f"train with it: {_command(grid, words)}", flush=True)
    return str(best["id"])


def _settings(job: Row) -> dict[str, str]:
    return {name: value for name, value in job["settings"].items() if name != FOLD}


def _kept(config: Config, job: str) -> dict[str, Any]:
    """The settings of a job, which may be one of an earlier command."""
    file = open_named(config).artifact_folder(job, "config.json")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _without_folds(settings: dict[str, Any], config: Config) -> Config:
    """Of a fold's settings, those of the whole: trained on the split's own parts."""
    kept = parse_config(settings)
    split = dataclasses.replace(kept.data.split, folds=None, fold=None)
    data = dataclasses.replace(kept.data, split=split)
    return dataclasses.replace(
        kept, data=data, tracking=config.tracking, sort_by=config.sort_by, cv=CrossValidationConfig()
    )


def _command(grid: Grid, words: list[str]) -> str:
    typed = [word for word in grid.fixed if not word.lstrip("+").startswith(("cv.", "sweep.", "data.split.fold"))]
    alone = ["cv.folds=null", "cv.choose=[]", "cv.refit=false"] if grid.configs[0].cv.choose else []
    return " ".join(["python -m shopguide.train", *typed, *words, *alone])
