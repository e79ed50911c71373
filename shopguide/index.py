"""`python -m shopguide.index`: a catalogue as vectors, for a model that searches or recommends in it."""

import shlex
from dataclasses import field
from pathlib import Path

from pydantic import Field
from pydantic.dataclasses import dataclass

from shopguide.checks import parse, path_faults
from shopguide.command_line.command import Command
from shopguide.command_line.running import run
from shopguide.config import STRICT, DataConfig, TrackingConfig

FREE_TEXT = frozenset({"output"})
OPEN_KEYS = frozenset({"data.options"})


@dataclass(config=STRICT)
class IndexConfig:
    """Which model indexes which products, and where."""

    output: str
    """Folder to be made."""
    data: DataConfig | None = None
    """The products; None: those that the run was trained on."""
    run: str = "latest"
    task: str | None = None
    dimensions: int | None = Field(default=None, ge=1)
    approximate: float | None = Field(default=None, gt=0, le=1)
    batch_tokens: int = Field(default=4096, ge=1)
    tracking: TrackingConfig = field(default_factory=TrackingConfig)


def check(values: dict[str, object]) -> IndexConfig:
    """The typed settings, or a ConfigError with every fault."""
    return parse(IndexConfig, values, list(path_faults(values)))


def index(config: IndexConfig) -> None:
    """Write the index, and say how it is used."""
    from shopguide.experiment.index import index_run
    from shopguide.runs.store import open_store

    store = open_store(config.tracking.uri, config.tracking.experiment, Path(config.tracking.root), create=False)
    output = Path(config.output).expanduser()
    asked = config.run, config.task, config.data, output, config.batch_tokens, config.dimensions, config.approximate
    task, found = index_run(store, *asked)
    approximate = f", {found.cells.share:.1%} of the nearest found, approximately" if found.cells else ""
    print(
        f"{config.output}: {len(found.products):,} products × {found.matrix.shape[1]}{approximate}\n"
        f"python -m shopguide.predict run={store.resolve(config.run)} task={task} index={shlex.quote(config.output)} "
        f"text='…'{config.tracking.typed()}"
    )


def main() -> None:
    """Read the command line and run it."""
    run(Command("index", check, index, free_text=FREE_TEXT, open_keys=OPEN_KEYS))


if __name__ == "__main__":
    main()
