"""`python -m shopguide.train`: run an experiment, or with `-m` a sweep of them."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from shopguide.checks import parse_config
from shopguide.command_line.command import Command
from shopguide.command_line.composing import composed
from shopguide.command_line.running import run
from shopguide.config import FOLD, Config
from shopguide.errors import ConfigError, RunError
from shopguide.grid import Grid, label
from shopguide.runs.apart import tracking_apart

if TYPE_CHECKING:
    import optuna

    from shopguide.experiment.run import Job
    from shopguide.experiment.search import Search
    from shopguide.experiment.slots import Typed

TRAIN = (sys.executable, "-m", "shopguide.train")
OPEN_KEYS = frozenset({"trainer", "model.config", "data.options"})
TRIAL = "SHOPGUIDE_TRIAL"
"""Tells a job of a search, in a process of its own, its number."""
FAILURES = "SHOPGUIDE_FAILURES"
"""Tells the jobs the folder in which each that fails leaves a file."""
SWEEP = "SHOPGUIDE_SWEEP"
"""Tells the jobs, wherever a launcher runs them, the sweep's run and the keys that vary: `<id>:<key>,<key>`."""


def train(config: Config) -> float:
    """Run one experiment; the score by which a sweep may choose."""
    if "LOCAL_RANK" in os.environ:
        raise ConfigError(
            "LOCAL_RANK is set, as by torchrun: type the command alone; trainer.devices=2 starts processes"
        )
    sweep_id, _, varying = os.environ.get(SWEEP, "").partition(":")
    if not sweep_id:
        if config.sweep.dry_run:
            raise ConfigError("sweep.dry_run=true: goes with -m, as it tells the plan of a sweep")
        if config.sweep.search:
            raise ConfigError(f"sweep.search={config.sweep.search}: goes with -m and settings that vary")
        from shopguide.experiment.run import run_experiment

        with tracking_apart():
            return run_experiment(config).score
    from hydra.core.hydra_config import HydraConfig

    from shopguide.experiment.run import Job

    job = Job(sweep_id, label(HydraConfig.get().overrides.task, varying.split(",")))
    try:
        with tracking_apart():
            return _job(config, job)
    except Exception as error:
        _note_failure(job.label, error)
        raise


def _note_failure(name: str, error: Exception) -> None:
    """Where the command looks for it: a launcher may run the job in another process, or on another machine."""
    folder = Path(os.environ[FAILURES])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{uuid4().hex}.txt").write_text(f"{name}: {error}", encoding="utf-8")


def _job(config: Config, job: "Job") -> float:
    from shopguide.experiment.run import run_experiment

    if TRIAL in os.environ:
        from shopguide.experiment.search import run_numbered

        if not run_numbered(config, job, int(os.environ[TRIAL])):
            sys.exit(1)
        return float("nan")
    return run_experiment(config, job).score


def sweep(grid: Grid, jobs: Callable[[], None]) -> None:
    """Run the jobs below one run, then print and log how they compare; of a dry run, only tell the plan."""
    from shopguide.experiment.sweep import print_plan, tracked_sweep

    config: Config = grid.configs[0]
    _check_sweep(grid)
    if config.sweep.dry_run:
        print_plan(grid)
        return
    failed = 0
    with tracking_apart(), tracked_sweep(grid) as run_id:
        logs = Path(config.tracking.root).absolute() / "logs" / run_id
        told = {SWEEP: f"{run_id}:{','.join(grid.varying)}", FAILURES: str(logs / "failed")}
        shutil.rmtree(logs / "failed", ignore_errors=True)
        if grid.axes:
            failed = _searched(grid, run_id, told, logs)
        elif config.sweep.slots > 1:
            failed = _side_by_side(grid, told, logs)
        else:
            with _environment(told):
                jobs()
            failed = len(list((logs / "failed").glob("*")))
    if failed:
        sys.exit(1)


def _check_sweep(grid: Grid) -> None:
    config: Config = grid.configs[0]
    launcher = next((word for word in grid.fixed if word.lstrip("+").startswith("hydra/launcher=")), None)
    if launcher and (grid.axes or config.sweep.slots > 1):
        raise ConfigError(f"{launcher}: goes with a grid and sweep.slots=1; a search, and slots, start jobs themselves")
    if config.resume:
        raise ConfigError(f"resume={config.resume}: goes without -m; a sweep is finished by its own command alone")
    for word in grid.fixed:
        if word.lstrip("+").startswith("sweep.trials=") and not config.sweep.search:
            raise ConfigError(f"{word}: goes with sweep.search=tpe (or random); without, all jobs are run")
    if config.sweep.prune == "halving" and (lengths := {"epochs", "finetune.epochs"} & set(grid.varying)):
        raise ConfigError(
            f"sweep.prune=halving: compares jobs of one length, and {lengths.pop()} varies; sweep.prune=median does not"
        )


def searches(config: Config) -> bool:
    """Whether settings are looked for, not gone through."""
    return config.sweep.search is not None


def expand(typed: list[str]) -> list[str]:
    """`cv.folds=5` stands for a sweep over the five folds, `cv.choose=[lr]` for one over the candidates of `lr`."""
    if SWEEP in os.environ:  # a job of such a sweep, in a process of its own
        return typed
    settings = composed("train", typed)
    folds = settings.get("cv", {}).get("folds")
    flag = [] if {"-m", "--multirun"} & set(typed) else ["-m"]
    if not settings:
        return [*flag, *typed]  # with it, the check finds what is wrong rather than values to vary
    if not isinstance(folds, int):
        return typed
    cv = settings["cv"]
    given = {word.lstrip("+").partition("=")[0] for word in typed}
    candidates = {name: cv["candidates"].get(name, []) for name in cv["choose"] if name not in given}
    varied = [f"{name}={','.join(map(str, values))}" for name, values in candidates.items() if values]
    return [*flag, *typed, *varied, f"++data.split.folds={folds}", f"++{FOLD}=range({folds})"]


def _side_by_side(grid: Grid, told: dict[str, str], logs: Path) -> int:
    from shopguide.experiment.slots import Typed, run_in_slots

    typed = [Typed(name, [*TRAIN, *own]) for name, own in zip(grid.labels, grid.overrides, strict=True)]
    return run_in_slots(typed, grid.configs[0].sweep.slots, told, logs)


def _searched(grid: Grid, sweep_id: str, told: dict[str, str], logs: Path) -> int:
    from shopguide.experiment.search import Search
    from shopguide.experiment.slots import run_in_slots
    from shopguide.runs.identity import alone

    config: Config = grid.configs[0]
    with alone(config.tracking.root, f"search-{sweep_id}", wait=False) as held:
        if not held:
            raise RunError(f"search {sweep_id}: another process is at it")
        found = Search(grid, sweep_id)
        if config.sweep.slots == 1:
            return found.run()
        typed = (_trial(found, trial, grid.varying) for trial in found.jobs())
        return run_in_slots(typed, config.sweep.slots, told, logs)


def _trial(search: "Search", trial: "optuna.Trial", varying: list[str]) -> "Typed":
    from shopguide.experiment.slots import Typed

    own = search.typed(trial)
    command, told = [*TRAIN, *own], {TRIAL: str(trial.number)}
    return Typed(label(own, varying), command, told, ended=partial(search.settle, trial.number))


@contextmanager
def _environment(more: dict[str, str]) -> Iterator[None]:
    os.environ.update(more)
    try:
        yield
    finally:
        for name in more:
            del os.environ[name]


def main() -> None:
    """Read the command line and run it."""
    run(
        Command(
            "train",
            parse_config,
            train,
            open_keys=OPEN_KEYS,
            expand=expand,
            around_sweep=sweep,
            searches=searches,
        )
    )


if __name__ == "__main__":
    main()
