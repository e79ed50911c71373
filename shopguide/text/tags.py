"""Spans as a tag a word, and back: O outside, B-<label> where a span begins, I-<label> where it goes on.

Source of the scheme: Ramshaw and Marcus 1995 (IOB2). Decoding is the Viterbi path over the word's posteriors among the
sequences that the scheme allows: I-<label> stands only after B-<label> or I-<label>.

Shapes: N texts, W words of the longest, L labels, K = 1 + 2L tags.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

OUTSIDE = 0
MISSING = -100


class Span(NamedTuple):
    """`text[start:end]` is a `label`."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Tags:
    """The tags of a set of labels: 0 is O, 1 + 2i is B and 2 + 2i is I of label i."""

    labels: tuple[str, ...]

    def __len__(self) -> int:
        return 1 + 2 * len(self.labels)

    @property
    def names(self) -> list[str]:
        """O, B-<label>, I-<label>, …"""
        return ["O", *(f"{mark}-{label}" for label in self.labels for mark in "BI")]

    def encode(self, words: np.ndarray, spans: Sequence[Span]) -> np.ndarray:
        """(W,) tag of each word of one text: the word belongs to the span that it touches first.

        Words of a label that is not one of these are `MISSING`. A span that touches no word, or only words of the span
        before it, leaves no tag.
        """
        number = {label: i for i, label in enumerate(self.labels)}
        tags = np.full(len(words), OUTSIDE, dtype=np.int64)
        taken = np.zeros(len(words), dtype=bool)
        for span in spans:
            inside = np.flatnonzero((words[:, 0] < span.end) & (words[:, 1] > span.start) & ~taken)
            taken[inside] = True
            if span.label not in number:
                tags[inside] = MISSING
            elif len(inside):
                tags[inside] = 2 + 2 * number[span.label]
                tags[inside[0]] -= 1
        return tags

    def decode(self, words: np.ndarray, tags: np.ndarray) -> list[tuple[Span, int, int]]:
        """The spans of one text, each with its first and one past its last word, from an allowed sequence of tags."""
        begins = np.flatnonzero(tags % 2 == 1)
        found = []
        for begin in begins:
            end = begin + 1
            while end < len(tags) and tags[end] == tags[begin] + 1:
                end += 1
            label = self.labels[(tags[begin] - 1) // 2]
            found.append((Span(int(words[begin, 0]), int(words[end - 1, 1]), label), int(begin), int(end)))
        return found


def viterbi(scores: np.ndarray) -> np.ndarray:
    """(N, W) the allowed sequence of the highest sum.

    Args:
        scores: (N, W, K) log posteriors; a text that is shorter is filled up with words that are surely O.
    """
    count, longest, width = scores.shape
    rows = np.arange(count)
    begin, inside = np.arange(1, width, 2), np.arange(2, width, 2)
    back = np.zeros((longest, count, width), dtype=np.int64)
    best = scores[:, 0].copy()
    best[:, inside] = -np.inf
    for word in range(1, longest):
        highest = best.argmax(1)
        came = np.repeat(highest[:, None], width, axis=1)
        came[:, inside] = np.where(best[:, begin] >= best[:, inside], begin, inside)
        best = best[rows[:, None], came] + scores[:, word]
        back[word] = came
    tags = np.zeros((count, longest), dtype=np.int64)
    tags[:, -1] = best.argmax(1)
    for word in range(longest - 1, 0, -1):
        tags[:, word - 1] = back[word, rows, tags[:, word]]
    return tags


def decoded(posterior: np.ndarray, counts: Sequence[int]) -> list[np.ndarray]:
    """The tags of each text's words.

    Args:
        posterior: (ΣW, K) the words of all texts, one text after the other.
        counts: N numbers of words.
    """
    if not len(counts):
        return []
    scores = np.full((len(counts), max(1, *counts), posterior.shape[1]), -np.inf)
    scores[:, :, OUTSIDE] = 0.0
    real = np.arange(scores.shape[1])[None] < np.array(counts)[:, None]
    scores[real] = np.log(np.maximum(posterior, 1e-12))
    tags = viterbi(scores)
    return [row[:count] for row, count in zip(tags, counts, strict=True)]
