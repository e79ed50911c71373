"""`python -m shopguide.train`: run an experiment, or with `-m` a sweep of them."""

import os
from collections.abc import Callable

from shopguide.checks import parse_config
from shopguide.command_line import Command, run
from shopguide.config import Config

OPEN_KEYS = frozenset({"trainer", "model.config", "data.options"})
SWEEP = "SHOPGUIDE_SWEEP"
"""Tells the jobs, wherever a launcher runs them, the sweep's run and the keys that vary: `<id>:<key>,<key>`."""


def train(config: Config) -> float:
    """Run one experiment; the score by which a sweep may choose."""
    from shopguide.experiment.run import run_experiment

    sweep, _, varying = os.environ.get(SWEEP, "").partition(":")
    label = _label(varying.split(",")) if sweep else None
    return run_experiment(config, parent=sweep or None, label=label).score


def sweep(configs: list[Config], varying: list[str], jobs: Callable[[], None]) -> None:
    """Run the jobs below one run, then print and log how they compare."""
    from shopguide.experiment.sweep import tracked_sweep

    with tracked_sweep(configs[0], varying, len(configs)) as run_id:
        os.environ[SWEEP] = f"{run_id}:{','.join(varying)}"
        try:
            jobs()
        finally:
            del os.environ[SWEEP]


def _label(varying: list[str]) -> str:
    """`lr=1e-4 epochs=2`: what tells this job from its siblings."""
    from hydra.core.hydra_config import HydraConfig

    overrides = [o.lstrip("+") for o in HydraConfig.get().overrides.task]
    return " ".join(o for o in overrides if o.partition("=")[0] in varying)


def main() -> None:
    """Read the command line and run it."""
    run(Command("train", parse_config, train, open_keys=OPEN_KEYS, around_sweep=sweep))


if __name__ == "__main__":
    main()
