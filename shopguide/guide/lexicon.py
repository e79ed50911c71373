"""The words of a catalogue: BM25 over all products, tolerant of Chinese without spaces and of misspelling.

Shapes: M products.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from shopguide.text.words import WORD, terms

SHORTEST, LONG = 4, 8
"""Letters of a word that is mended, and of one in which two letters may be wrong."""
CANDIDATES, MENDED = 8, 5
"""Words that are held against each other by their frequency, and words of a query that are mended."""


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
        self.frequency = Counter(word for own in cut for word in {*own})
        self._by_length: dict[int, list[str]] = defaultdict(list)
        for word in self.frequency:
            if len(word) >= SHORTEST and word.isalpha():
                self._by_length[len(word)].append(word)

    def scores(self, query: str) -> np.ndarray:
        """(M,) of every product; 0 where it has no word of the query."""
        asked = terms(query)
        if self._index is None or not asked:
            return np.zeros(self._count, dtype=np.float32)
        found: np.ndarray = self._index.get_scores(asked)
        return found

    def mended(self, query: str) -> str:
        """The query with its first words that no product has as those most like them: a letter or two are other, left
        out, doubled or changed places (Damerau 1964), but the first one; of several, the most frequent one. Words with
        digits stay.
        """
        left = MENDED

        def mend(match: re.Match[str]) -> str:
            nonlocal left
            word = match.group()
            if len(word) < SHORTEST or not word.isalpha() or word.casefold() in self.frequency or left == 0:
                return word
            left -= 1
            return self._nearest(word.casefold()) or word

        return WORD.sub(mend, query)

    def _nearest(self, word: str) -> str | None:
        from rapidfuzz import process
        from rapidfuzz.distance import DamerauLevenshtein

        most, distance = (1 if len(word) < LONG else 2), DamerauLevenshtein.distance
        lengths = range(len(word) - most, len(word) + most + 1)
        near: list[tuple[str, Any, Any]] = [
            one
            for length in lengths
            for one in process.extract(
                word, self._by_length.get(length, ()), scorer=distance, score_cutoff=most, limit=CANDIDATES
            )
        ]
        near = [one for one in near if one[0][0] == word[0]]
        return min(near, key=lambda one: (one[1], -self.frequency[one[0]], one[0]))[0] if near else None
