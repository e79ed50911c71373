"""`python -m shopguide.reproduce`: an experiment made again, and what came out otherwise."""

import sys
from dataclasses import field
from pathlib import Path

from pydantic.dataclasses import dataclass

from shopguide.checks import parse
from shopguide.command_line.command import Command
from shopguide.command_line.running import run
from shopguide.config import STRICT, TrackingConfig

SHOWN = 20
"""Metrics that are told."""


@dataclass(config=STRICT)
class ReproduceConfig:
    """Which experiment is made again."""

    run: str = "latest"
    check_only: bool = False
    """Only tell what is otherwise than then: commit, versions, data."""
    resume: str | None = None
    """Id of a repetition that was stopped."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)


def check(values: dict[str, object]) -> ReproduceConfig:
    """The typed settings, or a ConfigError with every fault."""
    return parse(ReproduceConfig, values, [])


def reproduce(config: ReproduceConfig) -> None:
    """Tell what is otherwise, run the experiment again, tell its metrics beside those of then; exit with 1 where some
    are otherwise.
    """
    from shopguide.experiment.reproduce import UNCHANGED, changes, kept_settings
    from shopguide.experiment.reproduce import reproduce as again
    from shopguide.runs.store import open_store

    store = open_store(config.tracking.uri, config.tracking.experiment, Path(config.tracking.root), create=False)
    run_id = store.resolve(config.run)
    settings = kept_settings(store, run_id, config.tracking, config.resume)
    found = list(changes(store, run_id, settings))
    print("\n".join(found) or UNCHANGED, flush=True)
    if config.check_only:
        return
    made = again(store, run_id, settings)
    shown = list(made.different.items())
    for name, (then, now) in shown[:SHOWN]:
        print(f"{name}: {_number(then)} then, {_number(now)} now")
    if len(shown) > SHOWN:
        print(f"and {len(shown) - SHOWN} more")
    print(f"{len(made.metrics) - len(shown)} of {len(made.metrics)} metrics of run {run_id} came out the same")
    if shown:
        sys.exit(1)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.6f}"


def main() -> None:
    """Read the command line and run it."""
    run(Command("reproduce", check, reproduce))


if __name__ == "__main__":
    main()
