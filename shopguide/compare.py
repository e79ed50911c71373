"""`python -m shopguide.compare`: runs beside each other, in the terminal and as a page."""

from dataclasses import field
from pathlib import Path

from pydantic.dataclasses import dataclass

from shopguide.checks import parse
from shopguide.command_line.command import Command
from shopguide.command_line.running import run
from shopguide.config import STRICT, TrackingConfig
from shopguide.errors import RunError

FREE_TEXT = frozenset({"runs", "filter", "baseline", "output"})
WIDTH = 160


@dataclass(config=STRICT)
class CompareConfig:
    """Which runs are compared, and by what."""

    runs: str | None = None
    """Ids, with commas between them."""
    filter: str | None = None
    metric: str = "dev/score"
    baseline: str | None = None
    output: str = "comparison.html"
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if self.runs and self.filter:
            raise ValueError("runs and filter: set one of the two")
        if self.filter == "" or self.runs in ("", "[]"):
            raise ValueError("runs=, filter=: expected something, found nothing; leave them out for the latest sweep")
        output = Path(self.output).expanduser()
        if not output.parent.is_dir() or output.is_dir():
            raise ValueError(f"output={self.output}: expected a file in a folder that is there")


def check(values: dict[str, object]) -> CompareConfig:
    """The typed settings, or a ConfigError with every fault."""
    return parse(CompareConfig, values, [])


def compare(config: CompareConfig) -> None:
    """Print the table and write the page."""
    from rich.console import Console

    from shopguide.experiment.compare import compare_runs, log_page, render
    from shopguide.runs.store import open_store

    store = open_store(config.tracking.uri, config.tracking.experiment, Path(config.tracking.root), create=False)
    runs = [name.strip() for name in (config.runs or "").strip("[]").split(",") if name.strip()]
    found = compare_runs(store, runs, config.filter, config.metric, config.baseline)
    Console(width=WIDTH).print(render(found))
    try:
        Path(config.output).expanduser().write_text(found.html, encoding="utf-8")
    except OSError as error:
        raise RunError(f"output={config.output}: expected a file that can be written ({error})") from error
    log_page(store, found)
    print(f"{config.output}: {len(found.settings)} settings by {found.metric}")


def main() -> None:
    """Read the command line and run it."""
    run(Command("compare", check, compare, free_text=FREE_TEXT))


if __name__ == "__main__":
    main()
