"""A search: jobs whose settings are chosen by what those before them reached.

Optuna chooses them (Akiba et al. 2019). Its study lies beside the runs, so that the same command goes on where it was
cut: a job that was cut is finished first, the next one is chosen by the same number and the same history. Settings that
were tried before are not tried again: their job is done.
"""

import math
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from shopguide.axes import Axis
from shopguide.config import UNSEEN, Config
from shopguide.errors import ConfigError, Pruned, RunError, ShopguideError, was_interrupted
from shopguide.experiment.run import Job, run_experiment
from shopguide.grid import Grid, label
from shopguide.runs.compare import sign_of

if TYPE_CHECKING:
    import optuna

FILE = "search.db"
STARTUP = 5
"""Jobs at random, before any is chosen; and as many before any is given up by the median."""
PEERS = 3
"""Jobs of a median, at least."""
IN_A_ROW = 3
"""Jobs that fail one after the other end a search."""
STATES = {"COMPLETE": "done", "PRUNED": "given up", "FAIL": "failed", "RUNNING": "cut: goes on", "WAITING": "waits"}
SECONDS = "seconds"
"""Of a job, in all the processes that worked on it."""


class Search:
    """The jobs of a search, one after the other.

    Args:
        grid: the space.
        sweep: id of the sweep's run, below which the jobs are.

    Raises:
        ConfigError: Optuna is not installed.
    """

    def __init__(self, grid: Grid, sweep: str) -> None:
        self.config: Config = grid.configs[0]
        self.grid, self.sweep = grid, sweep
        self.study = open_study(self.config, sweep)
        self._kinds = {axis.key: _distribution(axis) for axis in grid.axes}

    def jobs(self) -> Iterator["optuna.Trial"]:
        """Those that were cut, then new ones, as long as there is a budget for them."""
        import optuna

        for cut in self.study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
            if cut.params.keys() == self._kinds.keys():
                yield optuna.Trial(self.study, cut._trial_id)
            else:  # cut while it was chosen
                self.study.tell(cut.number, state=optuna.trial.TrialState.FAIL)
        first = len(self.study.get_trials(deepcopy=False))
        while self._counted() < self.config.sweep.trials and not self._is_out_of_time():
            ended = [trial.state.name for trial in self.study.get_trials()[first:] if trial.state.is_finished()]
            if ended[-IN_A_ROW:] == ["FAIL"] * IN_A_ROW:
                print(f"search: stopped, as {IN_A_ROW} jobs failed", file=sys.stderr)
                return
            self.study.sampler = _sampler(self.config, len(self.study.get_trials(deepcopy=False)))
            yield self.study.ask(self._kinds)
        if self._is_out_of_time():
            count = f"{self._counted()} of {self.config.sweep.trials} jobs"
            print(f"search: {count} in sweep.hours={self.config.sweep.hours:g}; with more, the same command goes on")

    def typed(self, trial: "optuna.Trial") -> list[str]:
        """A job as it would be typed alone."""
        return self.grid.fixed + [axis.typed(trial.params[axis.key]) for axis in self.grid.axes]

    def run(self) -> int:
        """Run the jobs in this process; how many failed."""
        failed = 0
        for trial in self.jobs():
            words = self.typed(trial)
            job = Job(self.sweep, label(words, self.grid.varying))
            assert self.grid.settings is not None
            failed += not run_trial(partial(self.grid.settings, words), job, self.study, trial)
        return failed

    def settle(self, number: int) -> None:
        """Of a job in a process of its own, which has ended by itself: if it has told nothing, it failed."""
        import optuna

        (found,) = (trial for trial in self.study.get_trials(deepcopy=False) if trial.number == number)
        if not found.state.is_finished():
            self.study.tell(number, state=optuna.trial.TrialState.FAIL)

    def _counted(self) -> int:
        return sum(trial.state.name != "FAIL" for trial in self.study.get_trials(deepcopy=False))

    def _is_out_of_time(self) -> bool:
        hours = self.config.sweep.hours
        took = sum(trial.user_attrs.get(SECONDS, 0.0) for trial in self.study.get_trials(deepcopy=False))
        return hours is not None and took >= 3600 * hours


def print_search(grid: Grid, sweep: str | None) -> None:
    """A table of a search's jobs so far, and what is left of it.

    Args:
        grid: the space.
        sweep: id of the sweep's run; None: it has not begun.
    """
    from rich.console import Console
    from rich.table import Table

    config: Config = grid.configs[0]
    trials = open_study(config, sweep).get_trials() if sweep else []
    table = Table(title=f"search among {', '.join(grid.varying)}", header_style="bold")
    for title in ("job", "state", config.sort_by, "seconds"):
        table.add_column(title)
    for trial in trials:
        words = [axis.typed(trial.params[axis.key]).lstrip("+") for axis in grid.axes if axis.key in trial.params]
        value = "" if trial.value is None else f"{trial.value:.4f}"
        table.add_row(" ".join(words), STATES[trial.state.name], value, f"{trial.user_attrs.get(SECONDS, 0.0):.0f}")
    Console(width=140).print(table)
    print("space: " + "; ".join(map(str, grid.axes)))
    ended = [trial.user_attrs.get(SECONDS, 0.0) for trial in trials if trial.state.name in ("COMPLETE", "PRUNED")]
    left = max(0, config.sweep.trials - len(ended))
    time_left = f", about {left * sum(ended) / len(ended):,.0f} s" if ended and left else ""
    differ = math.prod(axis.count for axis in grid.axes)
    few = f"; only {differ:.0f} settings differ, a job that was done is not done again" if left > differ else ""
    print(f"{left} of {config.sweep.trials} jobs to do{time_left}{few}")


def open_study(config: Config, sweep: str) -> "optuna.Study":
    """The study of a sweep, new or the one to go on with.

    Args:
        config: of any of its jobs.
        sweep: id of its run.

    Raises:
        ConfigError: Optuna is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        found = f"sweep.search={config.sweep.search}: expected the package optuna, found none"
        raise ConfigError(f"{found}; pip install 'shopguide[search]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    root = Path(config.tracking.root)
    root.mkdir(parents=True, exist_ok=True)
    first = math.ceil(UNSEEN * config.finetune.epochs)
    pruners = {
        None: optuna.pruners.NopPruner,
        "median": lambda: optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_min_trials=PEERS),
        "halving": lambda: optuna.pruners.SuccessiveHalvingPruner(min_resource=first, reduction_factor=3),
    }
    return optuna.create_study(
        storage=f"sqlite:///{root.absolute() / FILE}",
        study_name=f"{sweep} {config.sort_by}",
        direction="minimize" if sign_of(config.sort_by) > 0 else "maximize",
        pruner=pruners[config.sweep.prune](),
        load_if_exists=True,
    )


def run_trial(settings: Callable[[], Config], job: Job, study: "optuna.Study", trial: "optuna.Trial") -> bool:
    """Run a job of a search and tell the study how it ended; whether it did not fail.

    One that is interrupted stays open: it is what the same command begins with.

    Args:
        settings: of the job; raises ConfigError where they do not go together.
        job: its place.
        study: told of it.
        trial: what the study knows of it.
    """
    from optuna.trial import TrialState

    begun, before = time.monotonic(), trial.user_attrs.get(SECONDS, 0.0)
    try:
        reached = _reached(settings, replace(job, trial=trial))
    finally:
        trial.set_user_attr(SECONDS, before + time.monotonic() - begun)
    if reached is None:
        study.tell(trial, state=TrialState.FAIL)
    elif math.isnan(reached):  # worse than those that were not
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, reached)
    return reached is not None


def _reached(settings: Callable[[], Config], job: Job) -> float | None:
    """The metric that is searched by; NaN of a job that diverged or was given up, None of one that failed."""
    try:
        config = settings()
        metrics = run_experiment(config, job).metrics
        if config.sort_by not in metrics:
            raise RunError(f"sort_by={config.sort_by}: expected a metric of the job, which has {', '.join(metrics)}")
        return metrics[config.sort_by]
    except Pruned as pruned:
        print(f"job {job.label}: {pruned}", flush=True)
        return math.nan
    except ShopguideError as error:
        print(f"error: job {job.label}: {error}", file=sys.stderr)
    except Exception as error:
        if was_interrupted(error):
            raise KeyboardInterrupt from error
        traceback.print_exc()
    return None


def run_numbered(config: Config, job: Job, number: int) -> bool:
    """As `run_trial`, in a process of its own: of the trial with this number."""
    import optuna

    study = open_study(config, job.sweep)
    (found,) = (trial for trial in study.get_trials(deepcopy=False) if trial.number == number)
    return run_trial(lambda: config, job, study, optuna.Trial(study, found._trial_id))


def _sampler(config: Config, number: int) -> "optuna.samplers.BaseSampler":
    """New for each job, by its number: a search that was cut goes on as if it had not been."""
    import optuna

    seed = (config.seed * 100_003 + number) % 2**32
    if config.sweep.search == "random":
        return optuna.samplers.RandomSampler(seed)
    side_by_side = config.sweep.slots > 1
    return optuna.samplers.TPESampler(
        n_startup_trials=STARTUP, multivariate=True, constant_liar=side_by_side, seed=seed
    )


def _distribution(axis: Axis) -> "optuna.distributions.BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if axis.choices:
        return CategoricalDistribution(axis.choices)
    if axis.whole:
        return IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return FloatDistribution(axis.low, axis.high, log=axis.log)
