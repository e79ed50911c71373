"""From a fine-tuned model to one that ONNX Runtime computes: same answers, or smaller and faster with 8-bit weights."""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from shopguide.errors import ModelError
from shopguide.inference.answers import Answerer, Classifier
from shopguide.inference.card import FILE as CARD
from shopguide.inference.card import read_card, read_cards, write_cards
from shopguide.inference.folders import check_free, check_own, former, take_place
from shopguide.inference.label_answers import LabelAnswerer
from shopguide.inference.labeller import Labeller
from shopguide.inference.network import Network
from shopguide.inference.onnx import ALONE, EXACT, FILE, PAD, TOGETHER, OnnxPredictor, load_onnx
from shopguide.inference.predictor import Predictor
from shopguide.inference.second_look import distances, shift
from shopguide.inference.span_answers import SpanAnswerer
from shopguide.inference.tagger import Tagger
from shopguide.models.unpadded import MODEL_INPUTS, only_first, runs_unpadded

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
SLACK = {ALONE: 1.25, TOGETHER: 1.5}
"""How many times as much as was seen is allowed for: in company, it hangs on the company."""


@dataclass(frozen=True)
class Exported:
    """How near the exported model is to its original, on texts of random words."""

    difference: float
    """The largest of a posterior."""
    agreement: float
    """Share of the answers that are the same."""
    again: float | None = None
    """Share of the answers that are made again in full precision; None where none may be."""


class _Logits(nn.Module):
    """(B, L) inputs → (B, K) outputs of one task, or (B, L, K) of a tagger, nothing else.

    Args:
        model: whose outputs they are.
        names: of its inputs.
        own: the task's outputs.
        first: of a layer's states, only those of each text's first token are worked on where the others matter no more.
    """

    def __init__(self, model: nn.Module, names: list[str], own: slice, first: bool) -> None:
        super().__init__()
        self.model, self.names, self.own, self.first = model, names, own, first

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        with only_first(self.model) if self.first else contextlib.nullcontext():
            logits: torch.Tensor = self.model(**dict(zip(self.names, inputs, strict=True))).logits
        return logits[..., self.own]


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
    _needed()
    folder = folder.resolve()
    check_free(folder, "an exported model", {folder: (CARD,), former(folder): (CARD,)})
    if (folder / CARD).is_file():
        check_own(folder, "an exported model", (*WRITTEN, *(card.task for card in read_cards(folder))))
    kind = read_card(source, task).kind
    if kind not in CLASSES:
        raise ModelError(f"{source}: models of {', '.join(CLASSES)} can be exported, found one of {kind}")
    if calls is not None and kind != "classification":
        raise ModelError(f"int8=checked: expected a model of classification, found one of {kind}")
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
            _make(original, draft, int8, calls)
            found = _checked(original, draft, int8, calls)
        except ModelError as error:
            raise ModelError(f"{source}: {error}; nothing was written") from error
        take_place(draft, folder)
    return found


def _make(original: Network, draft: Path, int8: bool, calls: Calls | None) -> None:
    with _quietly():
        try:
            _write(original, draft / FILE)
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ModelError(f"a model of this kind cannot be exported ({reason[:200]})") from error
        if int8:
            _quantise(draft / FILE, kept=None if calls is None else draft / EXACT)
    if calls is not None:
        _tell(draft / FILE, _closer_than(draft, *calls))


def _checked(original: Network, draft: Path, int8: bool, calls: Calls | None) -> Exported:
    """How near the model is; what is to be exact is."""
    exported = load_onnx(draft)
    found = exact = _compared(original, exported)
    if calls is not None and isinstance(exported, OnnxPredictor) and exported.exact is not None:
        exact = _compared(original, exported.exact)
        found = replace(found, again=_again(exported, *calls))
    if (calls is not None or not int8) and exact.difference > TOLERANCE:
        raise ModelError(
            f"the exported model's posteriors differ from the original's by {exact.difference:.1e}, "
            f"expected {TOLERANCE:.0e} at most"
        )
    return found


def _needed() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ModelError(f"export: expected the package {error.name}; pip install 'shopguide[onnx]'") from error


def _write(predictor: Network, path: Path) -> None:
    import onnx
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    from shopguide.inference import exported_attention

    names = [name for name in MODEL_INPUTS if name in predictor.tokenizer.model_input_names]
    shapes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length")}
    model: Any = predictor.model
    swaps = runs_unpadded(model)  # whose attention is transformers' to choose; of a classifier only first tokens matter
    logits = _Logits(model, names, _own(predictor), first=swaps and not isinstance(predictor, Tagger)).eval()
    with _attending(model, exported_attention.NAME if swaps else "eager"):
        program = torch.onnx.export(
            logits,
            tuple(torch.ones(2, 7, dtype=torch.long) for _ in names),  # one tensor twice would become one input
            dynamo=True,
            input_names=names,
            output_names=["logits"],
            dynamic_shapes=((shapes,) * len(names),),
            verbose=False,
        )
    assert program is not None
    exported_attention.simplify(program.model.graph)
    RemoveUnusedNodesPass()(program.model)
    written = program.model_proto
    onnx.helper.set_model_props(written, {PAD: str(predictor.tokenizer.pad_token_id)})
    onnx.save(written, path)


def _tell(path: Path, metadata: dict[str, str]) -> None:
    """Add to what a model's file tells of itself."""
    import onnx

    model = onnx.load(path)
    known = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(model, known | metadata)
    onnx.save(model, path)


@contextlib.contextmanager
def _attending(model: Any, implementation: str) -> Iterator[None]:
    before = model.config._attn_implementation
    model.set_attn_implementation(implementation)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def _own(predictor: Network) -> slice:
    """The task's outputs among those of the network."""
    card = predictor.card
    return slice(None) if isinstance(predictor, Tagger) else slice(card.offset, card.offset + sum(card.sizes))


def _quantise(path: Path, kept: Path | None = None) -> None:
    """In place; the model as it was is kept elsewhere, if that is wanted."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    whole = kept or path.with_suffix(".whole")
    path.replace(whole)
    quantize_dynamic(whole, path, weight_type=QuantType.QInt8, per_channel=True)
    if kept is None:
        whole.unlink()


def _closer_than(folder: Path, first: list[str], second: list[str] | None) -> dict[str, str]:
    """The distances of two classes below which they may change places with 8-bit weights: somewhat more than the most
    by which they were off on some texts, in the network's posterior or in what is decided by it.
    """
    rough = load_onnx(folder)
    assert isinstance(rough, OnnxPredictor)
    exact, rough.exact = rough.exact, None
    assert exact is not None
    right = _of_both(exact, first, second)
    alone = [_of_both(rough, first[row : row + 1], second and second[row : row + 1]) for row in range(len(first))]
    found = {ALONE: map(np.concatenate, zip(*alone, strict=True)), TOGETHER: _of_both(rough, first, second)}
    off = {
        key: SLACK[key] * max(shift(ours, theirs) for ours, theirs in zip(parts, right, strict=True))
        for key, parts in found.items()
    }
    return {ALONE: str(off[ALONE]), TOGETHER: str(max(off.values()))}


def _again(model: OnnxPredictor, first: list[str], second: list[str] | None) -> float:
    """Share of the texts, each alone."""
    exact, model.exact = model.exact, None
    rough = _of_both(model, first, second)
    model.exact = exact
    return float(np.mean(np.any([distances(part) < model.close(1) for part in rough], axis=0)))


def _of_both(model: OnnxPredictor, first: list[str], second: list[str] | None) -> list[np.ndarray]:
    """(N, C) of each target: by the network, and as it is decided."""
    own = model.network_posterior(first, second)
    return [*own.values(), *model.decided(own, first, second).values()]


def _random_texts(original: Network, count: int) -> list[str]:
    """Random words of the vocabulary, from one to more than the model reads, more texts short than long."""
    draw = np.random.default_rng(0)
    words = sorted(set(original.tokenizer.get_vocab()) - set(original.tokenizer.all_special_tokens))
    return [" ".join(draw.choice(words, 1 + int(original.card.max_length * (i / count) ** 2))) for i in range(count)]


def _compared(original: Network, exported: Answerer) -> Exported:
    texts = _random_texts(original, CHECKS)
    second = texts[::-1] if original.card.inputs.second else None
    theirs, ours = ([part for part in _said(model, texts, second) if len(part)] for model in (original, exported))
    return Exported(
        max(float(np.abs(one - other).max()) for one, other in zip(theirs, ours, strict=True)),
        float(np.mean([np.mean(one.argmax(1) == other.argmax(1)) for one, other in zip(theirs, ours, strict=True)])),
    )


def _said(model: Network | Answerer, first: list[str], second: list[str] | None) -> list[np.ndarray]:
    """Posteriors of each target, of the words of each text, or of each label being given or not."""
    if isinstance(model, Classifier):
        return list(model.posterior(first, second).values())
    if isinstance(model, LabelAnswerer):
        return [np.stack([1 - given, given], 1) for given in model.posterior(first, second).T]
    assert isinstance(model, SpanAnswerer)
    return model.word_posteriors(first, second)[1]


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """The exporter's advice is for its makers."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
