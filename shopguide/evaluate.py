"""`python -m shopguide.evaluate`: score a trained model on records, with bootstrap intervals."""

import json
from dataclasses import field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from shopguide.checks import parse, path_faults
from shopguide.command_line.command import Command
from shopguide.command_line.running import run
from shopguide.config import STRICT, DataConfig, InferencePrecision, TrackingConfig

FREE_TEXT = frozenset({"folder", "rerank"})
OPEN_KEYS = frozenset({"data.options"})


@dataclass(config=STRICT)
class EvaluateConfig:
    """Which model is scored on which rows."""

    data: DataConfig | None = None
    """None: the records that the run was trained on."""
    run: str = "latest"
    task: str | None = None
    folder: str | None = None
    """Folder of an exported model, scored in place of the task's own."""
    rerank: str | None = None
    """As in `shopguide.predict`."""
    split: Literal["train", "dev", "test", "all"] = "test"
    batch_tokens: int = Field(default=4096, ge=1)
    precision: InferencePrecision = "auto"
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if self.folder is not None and self.task is None:
            raise ValueError("folder=… goes with task=…: which of the run's tasks it was exported from")


def check(values: dict[str, object]) -> EvaluateConfig:
    """The typed settings, or a ConfigError with every fault."""
    return parse(EvaluateConfig, values, list(path_faults(values)))


def evaluate(config: EvaluateConfig) -> None:
    """Print a table for people and, last, one JSON object: task → metrics with intervals; log it to the tasks' runs."""
    from shopguide.experiment.evaluate import evaluate_run
    from shopguide.runs.store import open_store

    store = open_store(config.tracking.uri, config.tracking.experiment, Path(config.tracking.root), create=False)
    folder = Path(config.folder).expanduser() if config.folder else None
    asked = config.run, config.task, config.data, config.split, config.batch_tokens, folder, config.precision
    found = evaluate_run(store, *asked, config.rerank)
    show(found)
    print(json.dumps(found, ensure_ascii=False))


def show(found: dict[str, Any]) -> None:
    """A table on standard error; the JSON object has standard output for itself."""
    from rich.console import Console
    from rich.table import Table

    table = Table("task", "metric", header_style="bold")
    for title in ("value", "95 % interval"):
        table.add_column(title, justify="right")
    for task, metrics in found.items():
        table.add_row(task, "examples", f"{metrics['examples']:,}", "")
        for name, metric in metrics.items():
            if name != "examples":
                interval = f"{metric['low']:.3f} – {metric['high']:.3f}" if "low" in metric else ""
                table.add_row("", name, f"{metric['value']:.4f}", interval)
        table.add_section()
    Console(stderr=True, width=100).print(table)


def main() -> None:
    """Read the command line and run it."""
    run(Command("evaluate", check, evaluate, free_text=FREE_TEXT, open_keys=OPEN_KEYS))


if __name__ == "__main__":
    main()
