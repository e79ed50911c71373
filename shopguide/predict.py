"""`python -m shopguide.predict`: answer one text, or a file of records, with a trained model."""

import json
import os
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field
from pydantic.dataclasses import dataclass

from shopguide.checks import parse
from shopguide.command_line.command import Command
from shopguide.command_line.running import run
from shopguide.config import STRICT, InferencePrecision, TrackingConfig
from shopguide.errors import ConfigError

if TYPE_CHECKING:
    from shopguide.inference.answers import Answerer
    from shopguide.runs.store import Store

FREE_TEXT = frozenset({"text", "text_pair", "input", "output", "folder", "index", "rerank"})


@dataclass(config=STRICT)
class PredictConfig:
    """Which model answers what."""

    run: str = "latest"
    folder: str | None = None
    """Folder of an exported or saved model, in place of a run's."""
    task: str | None = None
    index: str | None = None
    """Folder that `shopguide.index` made, searched in place of the catalogue that the model was trained on."""
    rerank: str | None = None
    """A task of the run that grades pairs, or the folder of such a model: it orders anew what is found."""
    text: str | None = None
    text_pair: str | None = None
    input: str | None = None
    output: str | None = None
    batch_tokens: int = Field(default=4096, ge=1)
    precision: InferencePrecision = "auto"
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if (self.text is None) == (self.input is None):
            raise ValueError("give either text='…' or input=<file>")
        if self.input is not None and not Path(self.input).expanduser().is_file():
            raise ValueError(f"input={self.input}: expected a file, found none there")
        if self.text is not None and not self.text.strip():
            raise ValueError("text=: expected words, found none")
        if self.output is not None and self.input is None:
            raise ValueError("output=… goes with input=…")
        if self.input is not None:
            from shopguide.inference.files import check_input, check_output

            if self.output is not None:
                output = Path(self.output).expanduser()
                check_output(output)
                if output.exists() and output.samefile(Path(self.input).expanduser()):
                    raise ValueError(f"output={self.output}: expected another file than the input")
            check_input(Path(self.input).expanduser())


def check(values: dict[str, object]) -> PredictConfig:
    """The typed settings, or a ConfigError with every fault."""
    return parse(PredictConfig, values)


def predict(config: PredictConfig) -> None:
    """Answer, on standard output or into a file."""
    os.environ.setdefault("TQDM_MININTERVAL", "1")
    folder, task = _place(config)  # a wrong run is told before torch is loaded
    from shopguide.inference.card import read_card

    card = read_card(folder, task)
    if config.folder is not None and task not in (None, card.task):
        raise ConfigError(f"folder={folder}: expected a model of task `{task}`, found one of `{card.task}`")
    spec = card.inputs
    if config.text is not None and spec.second and config.text_pair is None:
        raise ConfigError(f"task `{card.task}` reads pairs: add text_pair='…' (the product's text)")
    if config.text_pair is not None and not spec.second:
        raise ConfigError(
            f"text_pair: task `{card.task}` reads one text ({' or '.join(spec.first)}); leave text_pair out"
        )
    from shopguide.inference.files import answer_file
    from shopguide.inference.load import load_model

    predictor = load_model(folder, config.precision, card.task)
    if config.index is not None or config.rerank is not None:
        _set_up_search(predictor, folder, config)
    if config.text is None:
        assert config.input is not None
        answer_file(predictor, config.input, config.output, config.batch_tokens)
        return
    record = {spec.first[0]: config.text}
    if spec.second and config.text_pair is not None:
        record[spec.second[0]] = config.text_pair
    print(json.dumps(next(predictor.predict([record])), ensure_ascii=False))


def _set_up_search(predictor: "Answerer", folder: Path, config: PredictConfig) -> None:
    """What is searched, and what orders the products that are found."""
    from shopguide.inference.encoder import Encoder
    from shopguide.inference.indexing import load_index
    from shopguide.inference.load import load_model
    from shopguide.inference.second_stage import SecondStage
    from shopguide.runs.store import model_place

    if not isinstance(predictor, Encoder):
        raise ConfigError(f"task `{predictor.card.task}` finds no products; leave index and rerank out")
    if config.index is not None:
        predictor.catalogue = load_index(Path(config.index).expanduser(), folder)
    if config.rerank is not None:
        scorer, task = model_place(config.rerank, lambda: _store(config), config.run)
        second = SecondStage(load_model(scorer, config.precision, task))
        second.check_asked(predictor.card)
        predictor.second_stage = second


def _place(config: PredictConfig) -> tuple[Path, str | None]:
    """The model's folder, and which of its tasks is asked."""
    if config.folder is not None:
        return Path(config.folder).expanduser(), config.task
    store = _store(config)
    return store.task_model(config.run, config.task), store.task_name(config.run, config.task)


def _store(config: PredictConfig) -> "Store":
    from shopguide.runs.store import open_store

    return open_store(config.tracking.uri, config.tracking.experiment, Path(config.tracking.root), create=False)


def main() -> None:
    """Read the command line and run it."""
    run(Command("predict", check, predict, free_text=FREE_TEXT))


if __name__ == "__main__":
    main()
