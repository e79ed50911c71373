"""Tagging and extraction by torch: the labelled stretches of a text, and the value of a named attribute.

Shapes: W words of a text, K tags.
"""

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import numpy as np
import torch

from shopguide.inference.answers import BATCH_TOKENS, Answer, Answerer
from shopguide.inference.network import Network
from shopguide.models.backbone import Head
from shopguide.objectives.labelled import labelled_logits
from shopguide.text.masking import IGNORE
from shopguide.text.tagged import TaggedTexts
from shopguide.text.tags import Span, Tags, decoded

CLOSE = 0.02
"""Two tags whose probabilities are less than this apart may change places in half precision."""


class Found(NamedTuple):
    """A span, and the mean posterior of its words' tags."""

    span: Span
    score: float


class Tagger(Network, Answerer):
    """A token classifier: texts with a word whose two most probable tags are closer than `CLOSE` in half precision are
    answered again in full precision.
    """

    head: ClassVar[Head] = "tagging"

    @property
    def tags(self) -> Tags:
        """Those of the card's labels."""
        (labels,) = self.card.targets.values()
        return Tags(tuple(labels))

    def spans(
        self, first: list[str], second: list[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> list[list[Found]]:
        """The spans of each text (of a pair, of the second one), in the order of the text."""
        if not first:
            return []
        encoded = TaggedTexts(self.tokenizer, first, second, self.card.max_length, self.tags)
        half = self.worth_half(encoded)
        posteriors = self._posteriors(encoded, np.arange(len(first)), batch_tokens, half)
        close = np.array([row for row, part in enumerate(posteriors) if half and _close(part)], dtype=np.int64)
        if len(close):
            exact = self._posteriors(encoded, close, batch_tokens, False)
            for row, part in zip(close, exact, strict=True):
                posteriors[row] = part
        counts = [len(part) for part in posteriors]
        paths = decoded(np.concatenate(posteriors), counts)
        return [self._found(*row) for row in zip(encoded.words, paths, posteriors, strict=True)]

    def _found(self, words: np.ndarray, path: np.ndarray, posterior: np.ndarray) -> list[Found]:
        sure = posterior[np.arange(len(path)), path]
        return [Found(span, float(sure[begin:end].mean())) for span, begin, end in self.tags.decode(words, path)]

    @torch.inference_mode()
    def _posteriors(self, encoded: TaggedTexts, chosen: np.ndarray, batch_tokens: int, half: bool) -> list[np.ndarray]:
        """(W, K) of each of the chosen texts."""
        out: list[np.ndarray] = [np.zeros((0, len(self.tags)), dtype=np.float32)] * len(chosen)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            for rows, batch in self.batches(encoded, chosen, batch_tokens):
                logits, mark = labelled_logits(self.model, batch, batch["labels"])
                posterior = logits[mark != IGNORE].float().softmax(-1).cpu().numpy()
                counts = [len(encoded.words[chosen[row]]) for row in rows]
                for row, part in zip(rows, np.split(posterior, np.cumsum(counts)[:-1]), strict=True):
                    out[row] = part
        return out

    def answers(self, first: list[str], second: list[str] | None, *, batch_tokens: int) -> Iterator[Answer]:
        """`spans`: objects with `start`, `end` (characters), `label`, `text`, and `score`, the mean posterior."""
        texts = first if second is None else second
        for text, found in zip(texts, self.spans(first, second, batch_tokens=batch_tokens), strict=True):
            yield {"spans": [_told(text, one) for one in found]}


class Extractor(Tagger):
    """A tagger of pairs of an attribute's name and a text, whose best span is the attribute's value."""

    def answers(self, first: list[str], second: list[str] | None, *, batch_tokens: int) -> Iterator[Answer]:
        """`value` (null: the text does not say), and all `spans` that could be it, the best first."""
        for text, found in zip(second or [], self.spans(first, second, batch_tokens=batch_tokens), strict=True):
            ranked = [_told(text, one) for one in best_first(found)]
            yield {"value": ranked[0]["text"] if ranked else None, "spans": ranked}


def best_first(found: list[Found]) -> list[Found]:
    """By falling score, equals in the order of the text."""
    return sorted(found, key=lambda one: -one.score)


def _told(text: str, found: Found) -> Answer:
    span = found.span
    return {**span._asdict(), "text": text[span.start : span.end], "score": found.score}


def _close(posterior: np.ndarray) -> bool:
    """(W, K) → whether a word's second tag may be the first in truth."""
    top = -np.partition(-posterior, 1, axis=1)[:, :2]
    return bool((top[:, 0] - top[:, 1] < CLOSE).any())
