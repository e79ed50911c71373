"""The words of a text, each Chinese, Japanese or other unspaced character one of its own.

The same text has the same words for every tokenizer; a tokenizer says which of its tokens speaks for a word.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA = "\u3040-\u30ff"
WORD = re.compile(rf"[{IDEOGRAPHS}{KANA}]|[^\W{IDEOGRAPHS}{KANA}]+|[^\w\s]")

UNSPACED = re.compile(f"[{IDEOGRAPHS}{KANA}]")


def terms(text: str) -> list[str]:
    """Words in lower case; of unspaced script each character, and each two that stand together."""
    found = list(WORD.finditer(text.casefold()))
    alone = [match.group() for match in found]
    return alone + [
        one.group() + other.group()
        for one, other in pairwise(found)
        if one.end() == other.start() and UNSPACED.match(one.group()) and UNSPACED.match(other.group())
    ]


def word_ranges(text: str) -> np.ndarray:
    """(W, 2) the [start, end) characters of each word: letters and digits in a run, or a single other character."""
    return np.array([match.span() for match in WORD.finditer(text)], dtype=np.int64).reshape(-1, 2)


def first_tokens(words: np.ndarray, offsets: Sequence[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """The words that have a token, and the place of the first token of each.

    A token belongs to the first word that it touches; words that lie in an earlier word's token, or beyond the cut of
    a long text, have none.

    Args:
        words: (W, 2) character ranges.
        offsets: the [start, end) characters of each token; empty ranges belong to no word.

    Returns:
        (V,) word numbers in rising order, V ≤ W, and (V,) places.
    """
    ranges = np.array(offsets, dtype=np.int64).reshape(-1, 2)
    if not len(words) or not len(ranges):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    number = np.searchsorted(words[:, 1], ranges[:, 0], side="right")
    inside = number < len(words)
    inside[inside] = (words[number[inside], 0] < ranges[inside, 1]) & (ranges[inside, 0] < ranges[inside, 1])
    places = np.flatnonzero(inside)
    chosen, first = np.unique(number[places], return_index=True)
    return chosen, places[first]


class TaggedWords(NamedTuple):
    """The W words of a text, and the V ≤ W of them that have a token."""

    every: np.ndarray
    """(W, 2) character ranges."""
    numbers: np.ndarray
    """(V,) which of them have a token."""
    places: np.ndarray
    """(V,) where the first token of each stands."""

    @property
    def ranges(self) -> np.ndarray:
        """(V, 2) character ranges, each reaching over the words after it that have no token."""
        ranges: np.ndarray = self.every[self.numbers]
        if len(self.numbers) > 1:
            ranges[:-1, 1] = self.every[self.numbers[1:] - 1, 1]
        return ranges


def tagged_words(text: str, encoding: Any, sequence: int) -> TaggedWords:
    """The words of a text and the tokens that speak for them.

    Args:
        text: as it was given to the tokenizer.
        encoding: what the `tokenizers` library made of it, or of the pair of texts that it is part of.
        sequence: 0 for the first text, 1 for the second one.
    """
    words = word_ranges(text)
    pairs = zip(encoding.offsets, encoding.sequence_ids, strict=True)
    offsets = [offset if own == sequence else (0, 0) for offset, own in pairs]
    return TaggedWords(words, *first_tokens(words, offsets))
