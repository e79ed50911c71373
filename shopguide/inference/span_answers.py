"""What tagging and extraction tell, whatever computes them: labelled stretches of a text, the value of an attribute.

Shapes: W words of a text, K tags.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from shopguide.inference.answers import BATCH_TOKENS, Answer, Answerer, told
from shopguide.text.tags import Span, Tags, decoded


class Found(NamedTuple):
    """A span, and the mean posterior of its words' tags."""

    span: Span
    score: float


class SpanAnswerer(Answerer):
    """A tagger; of an attribute's name and a text, the best span is the attribute's value."""

    @property
    def tags(self) -> Tags:
        """Those of the card's labels."""
        (labels,) = self.card.targets.values()
        return Tags(tuple(labels))

    def _texts(self, record: Mapping[str, Any], number: int) -> tuple[str, str | None]:
        """A single field is read as it is, blanks at its ends too: spans count its characters."""
        first, second = super()._texts(record, number)
        fields = self.card.inputs.first
        whole = record.get(fields[0]) if second is None and len(fields) == 1 else None
        return (whole if isinstance(whole, str) else first), second

    @abstractmethod
    def word_posteriors(
        self, first: Sequence[str], second: Sequence[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Of each text (of a pair, of the second one): (W, 2) character ranges, and (W, K) posteriors of the tags."""

    def spans(
        self, first: Sequence[str], second: Sequence[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> list[list[Found]]:
        """The spans of each text (of a pair, of the second one), in the order of the text."""
        if not first:
            return []
        words, posteriors = self.word_posteriors(first, second, batch_tokens=batch_tokens)
        paths = decoded(np.concatenate(posteriors), [len(part) for part in posteriors])
        return [self._of_text(*row) for row in zip(words, paths, posteriors, strict=True)]

    def _of_text(self, words: np.ndarray, path: np.ndarray, posterior: np.ndarray) -> list[Found]:
        sure = posterior[np.arange(len(path)), path]
        return [Found(span, float(sure[begin:end].mean())) for span, begin, end in self.tags.decode(words, path)]

    def answers(self, first: Sequence[str], second: Sequence[str] | None, *, batch_tokens: int) -> Iterator[Answer]:
        """`spans`: objects with `start`, `end` (characters), `label`, `text`, and `score`, the mean posterior.

        Of extraction: `value` (null: the text does not say), and all `spans` that could be it, the best first.
        """
        texts = first if second is None else second
        for text, found in zip(texts, self.spans(first, second, batch_tokens=batch_tokens), strict=True):
            if self.card.kind != "extraction":
                yield {"spans": [_told(text, one) for one in found]}
                continue
            ranked = [_told(text, one) for one in best_first(found)]
            yield {"value": ranked[0]["text"] if ranked else None, "spans": ranked}


def best_first(found: list[Found]) -> list[Found]:
    """By falling score, equals in the order of the text."""
    return sorted(found, key=lambda one: -one.score)


def _told(text: str, found: Found) -> Answer:
    span = found.span
    return {**span._asdict(), "text": text[span.start : span.end], "score": told(found.score)}
