"""`python -m shopguide.register`: a task's model under a name that predict and evaluate know, with a card."""

import re
from dataclasses import field
from pathlib import Path

from pydantic.dataclasses import dataclass

from shopguide.checks import parse
from shopguide.command_line.command import Command
from shopguide.command_line.running import run
from shopguide.config import STRICT, TrackingConfig

WORD, RESERVED = re.compile(r"[\w-]+", re.ASCII), re.compile(r"[vV]\d+|\d+")


@dataclass(config=STRICT)
class RegisterConfig:
    """Which model gets which name."""

    run: str = "latest"
    task: str | None = None
    name: str | None = None
    alias: str = "champion"
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if self.name is not None and not WORD.fullmatch(self.name):
            raise ValueError(f"name={self.name}: expected letters a to z, digits, `-` and `_`")
        if not WORD.fullmatch(self.alias) or self.alias == "latest" or RESERVED.fullmatch(self.alias):
            raise ValueError(f"alias={self.alias}: expected a word such as champion, not `latest` or a version (v1)")


def check(values: dict[str, object]) -> RegisterConfig:
    """The typed settings, or a ConfigError with every fault."""
    return parse(RegisterConfig, values, [])


def register(config: RegisterConfig) -> None:
    """Register the model, print its card, and say how it is used."""
    from shopguide.experiment.register import register_model
    from shopguide.runs.store import open_store

    store = open_store(config.tracking.uri, config.tracking.experiment, Path(config.tracking.root), create=False)
    found = register_model(store, config.run, config.task, config.name, config.alias)
    print(found.card)
    print(f"{found.name} version {found.version} is {config.alias}: run {found.run}")
    print(f"python -m shopguide.predict run=models:/{found.name}@{config.alias} text='…'{config.tracking.typed()}")


def main() -> None:
    """Read the command line and run it."""
    run(Command("register", check, register))


if __name__ == "__main__":
    main()
