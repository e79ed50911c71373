"""`python -m shopguide.train`: run an experiment, or with `-m` a sweep of them."""

from shopguide.command_line import Command, run
from shopguide.config import Config, parse_config

OPEN_KEYS = frozenset({"trainer", "model.config", "data.options"})


def train(config: Config) -> float:
    """Run one experiment; the score by which a sweep may choose."""
    from shopguide.experiment import run_experiment

    return run_experiment(config).score


def main() -> None:
    """Read the command line and run it."""
    run(Command("train", parse_config, train, open_keys=OPEN_KEYS))


if __name__ == "__main__":
    main()
