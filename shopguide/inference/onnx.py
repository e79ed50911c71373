"""An exported model: answers by ONNX Runtime, without torch, for processes that start fast and answer one by one.

Shapes: N examples, B of them at once, L tokens of the longest, W words of a text, K outputs, C classes of a target.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import finalize

import numpy as np

from shopguide.errors import ModelError
from shopguide.inference.answers import BATCH_TOKENS
from shopguide.inference.card import Card, read_card
from shopguide.inference.label_answers import LabelAnswerer
from shopguide.inference.lanes import evened, side_by_side
from shopguide.inference.second_look import Decision, Sure, Texts, looked_twice, taken
from shopguide.inference.span_answers import SpanAnswerer
from shopguide.machine import own_cores
from shopguide.tasks.fusion import Fusion
from shopguide.tasks.lexical import Posteriors
from shopguide.text.columns import column_of
from shopguide.text.plan import BatchPlan
from shopguide.text.words import tagged_words

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

FILE, EXACT = "model.onnx", "exact.onnx"
"""The model that answers, and where its close calls are made again, the one that does."""
PAD, ALONE, TOGETHER = "pad_token_id", "shopguide_close_alone", "shopguide_close_together"
"""Keys of the model's metadata: the padding token, and below which distance of two classes a call is close, of a text
alone and of several that are answered together.
"""
AT_ONCE = 512
"""Tokens of a batch on a core: each step of the graph goes over all of them, and the states of more leave the cache."""
LANES = 8
"""Batches at once at most."""
SLOW = ["SkipLayerNormFusion"]
"""Fusions that cost more than they save: this one's kernel on the CPU took seven times the plain one's time."""


class Sessions:
    """A model in ONNX Runtime: `whole` runs one batch on all cores, `each` several, `lanes` at once, on some of them.

    Args:
        file: the model, of this moment: it may be replaced afterwards.
    """

    def __init__(self, file: Path) -> None:
        self._file, self._loading = file.open("rb"), Lock()
        finalize(self, self._file.close)
        self._cores = own_cores()
        self.lanes = min(self._cores, LANES)
        self.whole, self._each = _session(str(file), self._cores), None

    @property
    def each(self) -> Any:
        """Loaded when it is asked for, as one request does without."""
        with self._loading:
            if self._each is None:
                self._each = _session(self._file.read(), self._cores // self.lanes)
        return self._each


def _session(model: str | bytes, threads: int) -> Any:
    """Of a file, or what was in it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOW)


class OnnxNetwork:
    """A network in ONNX Runtime on the CPU.

    Args:
        sessions: of the model: (B, L) inputs to `logits`.
        tokenizer: of the `tokenizers` library.
        card: which outputs mean what.
    """

    def __init__(self, sessions: Sessions, tokenizer: "Tokenizer", card: Card) -> None:
        self.card = card
        self._sessions, self._tokenizer = sessions, tokenizer
        self._told: dict[str, str] = sessions.whole.get_modelmeta().custom_metadata_map
        self._tokenizer.enable_truncation(card.max_length)
        self._tokenizer.no_padding()
        pad = int(self._told[PAD])
        self._fill = {entry.name: pad if entry.name == "input_ids" else 0 for entry in sessions.whole.get_inputs()}

    def encoded(self, first: Sequence[str], second: Sequence[str] | None) -> "list[Encoding]":
        """The texts, or pairs of texts, as tokens."""
        texts: Any = first if second is None else list(zip(first, second, strict=True))
        return self._tokenizer.encode_batch(texts)

    def outputs(self, encoded: "list[Encoding]", batch_tokens: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Row numbers and their `logits`, in batches of like length."""
        lengths = np.array([len(encoding) for encoding in encoded], dtype=np.int64)
        lanes = self._sessions.lanes
        many = lanes > 1 and lengths.sum() >= lanes * AT_ONCE
        tokens = max(1, min(AT_ONCE, batch_tokens // lanes)) if many else min(batch_tokens, lanes * AT_ONCE)
        session = self._sessions.each if many else self._sessions.whole
        batches = BatchPlan(lengths, max(1, len(encoded)), tokens, shuffle=False).of_epoch(0)
        at_once = lanes if many else 1

        def run(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return rows, self._run(session, [encoded[row] for row in rows])

        return side_by_side(run, evened(batches, at_once), at_once)

    def logits(self, first: Sequence[str], second: Sequence[str] | None, batch_tokens: int, count: int) -> np.ndarray:
        """(N, count) outputs, rows as given; of one text with nothing around the run that would take time."""
        encoded = self.encoded(first, second)
        if len(encoded) == 1:
            return self._run(self._sessions.whole, encoded)
        logits = np.zeros((len(encoded), count), dtype=np.float32)
        for rows, part in self.outputs(encoded, batch_tokens):
            logits[rows] = part
        return logits

    def _run(self, session: Any, encoded: "list[Encoding]") -> np.ndarray:
        logits: np.ndarray = session.run(["logits"], self._inputs(encoded))[0]
        return logits

    def _inputs(self, encoded: "list[Encoding]") -> dict[str, np.ndarray]:
        """(B, L) each."""
        shape = (len(encoded), max(1, *map(len, encoded)))
        inputs = {name: np.full(shape, fill, dtype=np.int64) for name, fill in self._fill.items()}
        for name, column in inputs.items():
            for row, encoding in enumerate(encoded):
                column[row, : len(encoding)] = column_of(encoding, name)
        return inputs


class OnnxPredictor(OnnxNetwork, Sure):
    """A classifier: (B, L) inputs to (B, K) outputs."""

    exact: "OnnxPredictor | None" = None
    """Makes close calls again."""

    def sure(
        self, first: Texts, second: Texts | None, batch_tokens: int, decide: Decision, again: bool = True
    ) -> Posteriors:
        """What `decide` makes of the network's posteriors; close calls are made again by an exact one, if any."""
        own, exact = self._posteriors(first, second, batch_tokens), self.exact
        if exact is None or not again:
            return decide(own, first, second)

        def exactly(rows: np.ndarray) -> Posteriors:
            return exact._posteriors(taken(first, rows), None if second is None else taken(second, rows), batch_tokens)

        return looked_twice(own, exactly, decide, first, second, self.close(len(first)))

    def close(self, count: int) -> float:
        """The distance of two classes below which a call is close, for so many texts together."""
        return float(self._told[ALONE if count == 1 else TOGETHER])

    def _posteriors(self, first: Texts, second: Texts | None, batch_tokens: int) -> Posteriors:
        ends = list(accumulate(self.card.sizes))
        logits = self.logits(first, second, batch_tokens, ends[-1])
        parts = zip(self.card.targets, pairwise([0, *ends]), strict=True)
        return {target: _softmax(logits[:, start:end]) for target, (start, end) in parts}


class OnnxTagger(OnnxNetwork, SpanAnswerer):
    """A tagger: (B, L) inputs to (B, L, K) outputs."""

    def word_posteriors(
        self, first: Sequence[str], second: Sequence[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Of each text: (W, 2) character ranges, and (W, K) posteriors of the tags."""
        encoded = self.encoded(first, second)
        texts = first if second is None else second
        found = [tagged_words(text, one, int(second is not None)) for text, one in zip(texts, encoded, strict=True)]
        posteriors = [np.zeros((0, len(self.tags)), dtype=np.float32)] * len(first)
        for rows, logits in self.outputs(encoded, batch_tokens):
            for row, part in zip(rows, logits, strict=True):
                posteriors[row] = _softmax(part[found[row].places])
        return [words.ranges for words in found], posteriors


class OnnxLabeller(OnnxNetwork, LabelAnswerer):
    """Several labels a text: (B, L) inputs to (B, C) outputs."""

    def posterior(
        self, first: Sequence[str], second: Sequence[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> np.ndarray:
        """(N, C) probability of each label."""
        logits = self.logits(first, second, batch_tokens, len(self.labels))
        found: np.ndarray = np.exp(-np.logaddexp(0, -logits))
        return found


def load_onnx(folder: Path) -> OnnxPredictor | OnnxTagger | OnnxLabeller:
    """Load a folder that `shopguide.export` wrote.

    Raises:
        ModelError: it is not such a folder, or ONNX Runtime is not there.
    """
    try:
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise ModelError(
            f"{folder}: expected the package onnxruntime for an exported model, found none; "
            "pip install 'shopguide[onnx]'"
        ) from error
    from tokenizers import Tokenizer

    card = read_card(folder)
    try:
        sessions = Sessions(folder / FILE)
        exact = Sessions(folder / EXACT) if (folder / EXACT).is_file() else None
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{folder}: expected {FILE} and tokenizer.json; {reason}; export the model again") from error
    if card.kind == "multilabel":
        return OnnxLabeller(sessions, tokenizer, card)
    if card.kind != "classification":
        return OnnxTagger(sessions, tokenizer, card)
    found = OnnxPredictor(sessions, tokenizer, card)
    found.fusion = Fusion.load(folder / card.task)
    if exact is not None:
        found.exact = OnnxPredictor(exact, tokenizer, card)
        found.exact.fusion = found.fusion
    return found


def _softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    posterior: np.ndarray = raised / raised.sum(-1, keepdims=True)
    return posterior
