"""`python -m shopguide.export`: a trained model for ONNX Runtime, which answers single requests fastest on a CPU."""

from dataclasses import field
from pathlib import Path
from typing import Literal

from pydantic.dataclasses import dataclass

from shopguide.checks import parse
from shopguide.command_line.command import Command
from shopguide.command_line.running import run
from shopguide.config import STRICT, TrackingConfig


@dataclass(config=STRICT)
class ExportConfig:
    """Which model is written where."""

    output: str
    """Folder to be made."""
    run: str = "latest"
    task: str | None = None
    int8: bool | Literal["checked"] = False
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if Path(self.output).expanduser().is_file():
            raise ValueError(f"output={self.output}: expected a folder, found a file")


FREE_TEXT = frozenset({"output"})


def check(values: dict[str, object]) -> ExportConfig:
    """The typed settings, or a ConfigError with every fault."""
    return parse(ExportConfig, values)


def export(config: ExportConfig) -> None:
    """Write the model, and say how near it is to its original."""
    from shopguide.runs.store import open_store

    store = open_store(config.tracking.uri, config.tracking.experiment, Path(config.tracking.root), create=False)
    source = store.task_model(config.run, config.task)
    from shopguide.inference.card import read_card
    from shopguide.inference.export import export as write

    folder = Path(config.output).expanduser()
    name = store.task_name(config.run, config.task)
    calls = None
    if config.int8 == "checked":
        from shopguide.experiment.evaluate import dev_texts

        calls = dev_texts(store, config.run, name, source)
    found = write(source, folder, config.int8 is not False, name, calls)
    task = read_card(folder).task
    again = "" if found.again is None else f"; of the dev split's texts, {found.again:.1%} are close calls, made again"
    print(
        f"{config.output}: on texts of random words {found.agreement:.1%} of the answers are the original's, "
        f"posteriors differ by {found.difference:.1e} at most{again}\n"
        f"what that means on real records: python -m shopguide.evaluate run={config.run} task={task} "
        f"folder={config.output}"
    )


def main() -> None:
    """Read the command line and run it."""
    run(Command("export", check, export, free_text=FREE_TEXT))


if __name__ == "__main__":
    main()
