"""From a fine-tuned model to one that ONNX Runtime computes: same answers, or smaller and faster with 8-bit weights."""

import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from shopguide.errors import ModelError
from shopguide.inference.answers import Answerer, Classifier
from shopguide.inference.card import FILE as CARD
from shopguide.inference.card import read_card, read_cards, write_cards
from shopguide.inference.close_calls import Closeness, measured
from shopguide.inference.folders import check_free, check_own, former, take_place
from shopguide.inference.label_answers import LabelAnswerer
from shopguide.inference.labeller import Labeller
from shopguide.inference.network import Network
from shopguide.inference.onnx import EXACT, FILE, OnnxPredictor, load_onnx
from shopguide.inference.onnx_graph import add_metadata, check_packages, quantise, write_graph
from shopguide.inference.predictor import Predictor
from shopguide.inference.span_answers import SpanAnswerer
from shopguide.inference.tagger import Tagger

TOLERANCE = 1e-4
"""Of a posterior, in full precision."""
CLASSES: dict[str, type[Network]] = {
    "classification": Predictor,
    "multilabel": Labeller,
    "tagging": Tagger,
    "extraction": Tagger,
}
"""Kind of a model → what loads it."""
Calls = tuple[list[str], list[str] | None]
TOKENIZER = ("tokenizer*", "special_tokens_map.json", "added_tokens.json", "chat_*", "vocab*", "merges.txt", "*.model")
WRITTEN = (FILE, EXACT, CARD, *TOKENIZER)
"""Patterns of what is written, beside the lexical branch of a task."""
CHECKS = 64
"""Texts on which the two models are compared."""


@dataclass(frozen=True)
class Exported:
    """How near the exported model is to its original, on texts of random words."""

    difference: float
    """The largest of a posterior."""
    agreement: float
    """Share of the answers that are the same."""
    again: float | None = None
    """Share of the answers that are made again in full precision; None where none may be."""


def export(
    source: Path, folder: Path, int8: bool = False, task: str | None = None, calls: Calls | None = None
) -> Exported:
    """Write `model.onnx`, the tokenizer and the card.

    Args:
        source: folder of a fine-tuned model.
        folder: to be made; an exported model that is there is replaced when the new one is complete.
        int8: weights of matrix products as 8-bit integers, their inputs quantised as they come: by one scale for the
            texts that are answered together, which may change an answer. For processors with instructions for it
            (VNNI): others are slower, and less exact.
        task: which of several that the model serves.
        calls: texts, or pairs of texts, as they will come, which no one has learnt from. With 8-bit weights, close
            calls of a classifier are then made again in full precision, by a second model beside it; how close is
            measured on these texts.

    Raises:
        ModelError: the packages are missing, something else lies in the folder, the model cannot be exported, or its
            answers are not the original's.
    """
    check_packages()
    folder = folder.resolve()
    check_free(folder, "an exported model", {folder: (CARD,), former(folder): (CARD,)})
    if (folder / CARD).is_file():
        check_own(folder, "an exported model", (*WRITTEN, *(card.task for card in read_cards(folder))))
    kind = read_card(source, task).kind
    if kind not in CLASSES:
        raise ModelError(f"{source}: models of {', '.join(CLASSES)} can be exported, found one of {kind}")
    if calls is not None and kind != "classification":
        raise ModelError(f"int8=checked: expected a model of classification, found one of {kind}")
    if calls is not None and not (int8 and calls[0]):
        raise ModelError("int8=checked: expected 8-bit weights, and texts to measure close calls on; found none")
    original = CLASSES[kind].load(source, "cpu", precision=32, task=task)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        draft = Path(temporary) / "model"
        draft.mkdir()
        original.tokenizer.save_pretrained(draft)
        write_cards(draft, [replace(original.card, offset=0)])
        if isinstance(original, Predictor):
            original.save_fusion(draft)
        try:
            closeness = _make(original, draft, int8, calls)
            found = _checked(original, draft, exact=closeness is not None or not int8)
        except ModelError as error:
            raise ModelError(f"{source}: {error}; nothing was written") from error
        take_place(draft, folder)
    return replace(found, again=None if closeness is None else closeness.again)


def _make(original: Network, draft: Path, int8: bool, calls: Calls | None) -> Closeness | None:
    """The models; how close a call must be to be made again."""
    write_graph(original, draft / FILE)
    if int8:
        quantise(draft / FILE, kept=None if calls is None else draft / EXACT)
    if calls is None:
        return None
    closeness = measured(draft, *calls)
    add_metadata(draft / FILE, closeness.metadata)
    return closeness


def _checked(original: Network, draft: Path, exact: bool) -> Exported:
    """How near the model is.

    Raises:
        ModelError: the one that is to be exact is not.
    """
    exported = load_onnx(draft)
    texts = _random_texts(original, CHECKS)
    said = partial(_said, first=texts, second=texts[::-1] if original.card.inputs.second else None)
    right = said(original)
    found = of_exact = _compared(right, said(exported))
    if isinstance(exported, OnnxPredictor) and exported.exact is not None:
        of_exact = _compared(right, said(exported.exact))
    if exact and of_exact.difference > TOLERANCE:
        raise ModelError(
            f"the exported model's posteriors differ from the original's by {of_exact.difference:.1e}, "
            f"expected {TOLERANCE:.0e} at most"
        )
    return found


def _random_texts(original: Network, count: int) -> list[str]:
    """Random words of the vocabulary, from one to more than the model reads, more texts short than long."""
    draw = np.random.default_rng(0)
    words = sorted(set(original.tokenizer.get_vocab()) - set(original.tokenizer.all_special_tokens))
    return [" ".join(draw.choice(words, 1 + int(original.card.max_length * (i / count) ** 2))) for i in range(count)]


def _compared(right: list[np.ndarray], found: list[np.ndarray]) -> Exported:
    pairs = [(one, other) for one, other in zip(right, found, strict=True) if len(one)]
    return Exported(
        max(float(np.abs(one - other).max()) for one, other in pairs),
        float(np.mean([np.mean(one.argmax(1) == other.argmax(1)) for one, other in pairs])),
    )


def _said(model: Network | Answerer, first: list[str], second: list[str] | None) -> list[np.ndarray]:
    """Posteriors of each target, of the words of each text, or of each label being given or not."""
    if isinstance(model, Classifier):
        return list(model.posterior(first, second).values())
    if isinstance(model, LabelAnswerer):
        return [np.stack([1 - given, given], 1) for given in model.posterior(first, second).T]
    assert isinstance(model, SpanAnswerer)
    return model.word_posteriors(first, second)[1]
