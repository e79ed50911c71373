"""The words of a catalogue: BM25 over all products, tolerant of Chinese without spaces and of misspelling.

Shapes: M products.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from shopguide.text.words import IDEOGRAPHS, KANA, WORD

UNSPACED = re.compile(f"[{IDEOGRAPHS}{KANA}]")
LATIN = re.compile(r"[^\W\d_]+")
SHORTEST, LONG = 4, 8
"""Letters of a word that is mended, and of one in which two letters may be wrong."""
CANDIDATES = 8


def terms(text: str) -> list[str]:
    """Words in lower case; of unspaced script each character, and each two that stand together."""
    found = list(WORD.finditer(text.casefold()))
    alone = [match.group() for match in found]
    return alone + [
        one.group() + other.group()
        for one, other in pairwise(found)
        if one.end() == other.start() and UNSPACED.match(one.group()) and UNSPACED.match(other.group())
    ]


class Lexicon:
    """BM25 (Lucene's variant) of a catalogue.

    Args:
        texts: of M products.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        from bm25s import BM25

        cut = [terms(text) for text in texts]
        self._count, self._index = len(cut), None
        if any(cut):
            self._index = BM25()
            self._index.index(cut, show_progress=False)
        self.frequency = Counter(word for own in cut for word in {*own} if LATIN.fullmatch(word))
        self._long = [word for word in self.frequency if len(word) >= SHORTEST and not UNSPACED.search(word)]

    def scores(self, query: str) -> np.ndarray:
        """(M,) of every product; 0 where it has no word of the query."""
        asked = terms(query)
        if self._index is None or not asked:
            return np.zeros(self._count, dtype=np.float32)
        found: np.ndarray = self._index.get_scores(asked)
        return found

    def mended(self, query: str) -> str:
        """The query with each word that no product has as the one most like it: a letter or two are other, left out,
        doubled or changed places (Damerau 1964); of several, the most frequent one.
        """
        return LATIN.sub(lambda match: self._nearest(match.group()), query)

    def _nearest(self, typed: str) -> str:
        from rapidfuzz import process
        from rapidfuzz.distance import DamerauLevenshtein

        word = typed.casefold()
        if len(word) < SHORTEST or word in self.frequency or UNSPACED.search(word):
            return typed
        most = 1 if len(word) < LONG else 2
        distance: Any = DamerauLevenshtein.distance
        near = process.extract(word, self._long, scorer=distance, score_cutoff=most, limit=CANDIDATES)
        return min(near, key=lambda one: (one[1], -self.frequency[one[0]], one[0]))[0] if near else typed
