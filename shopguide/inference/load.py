"""A task model from its folder, whichever way it is kept there."""

from pathlib import Path
from typing import Any

from shopguide.config import InferencePrecision
from shopguide.inference.answers import Answerer
from shopguide.inference.card import read_card, read_cards
from shopguide.inference.onnx import FILE, load_onnx


def load_model(folder: str | Path, precision: InferencePrecision = "auto", task: str | None = None) -> Answerer:
    """The model as fine-tuning saved it, or as it was exported, which has its own precision.

    Torch is imported only where it is needed. `task`: which of several that the model serves.

    Raises:
        ModelError: it is neither, or serves no such task.
    """
    if (Path(folder) / FILE).is_file():
        return load_onnx(Path(folder))
    kind = read_card(Path(folder), task).kind
    from shopguide.inference.encoder import Encoder
    from shopguide.inference.labeller import Labeller
    from shopguide.inference.predictor import Predictor
    from shopguide.inference.prompt_predictor import PromptPredictor
    from shopguide.inference.tagger import Tagger

    classes: dict[str, type[Predictor | Tagger | Labeller | Encoder]] = {
        "classification": Predictor,
        "multilabel": Labeller,
        "prompt": PromptPredictor,
        "tagging": Tagger,
        "extraction": Tagger,
        "retrieval": Encoder,
    }
    return classes[kind].load(folder, precision=precision, task=task)


def load_models(folder: Path) -> dict[str, Answerer]:
    """Task → model, of all tasks that a folder serves; their network is loaded once.

    Raises:
        ModelError: as `load_model`.
    """
    first, *others = read_cards(folder)
    model: Any = load_model(folder, task=first.task)
    return {first.task: model, **{card.task: model.serving(card, folder) for card in others}}
