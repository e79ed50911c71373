"""Which of some known questions another one is: by the rare words that they share, and those that they do not."""

import math
from collections import Counter
from collections.abc import Sequence

from shopguide.guide.lexicon import terms

ALIKE = 0.5
"""From so much likeness on two are taken for the same."""


class Phrases:
    """Known questions."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._terms = [frozenset(terms(text)) for text in texts]
        self._count = Counter(term for own in self._terms for term in own)

    def nearest(self, text: str) -> int | None:
        """The place of the one that is most like a text; None: none is like it."""
        if not self._terms:
            return None
        best = max(range(len(self._terms)), key=lambda place: self.likeness(text, place))
        return best if self.likeness(text, best) >= ALIKE else None

    def likeness(self, text: str, place: int) -> float:
        """Words that both have as a share of those that either has (Jaccard), each by its rarity (BM25's idf); numbers
        count for nothing.
        """
        own, other = {term for term in terms(text) if not term.isdigit()}, self._terms[place]
        either = sum(map(self._rarity, own | other))
        return sum(map(self._rarity, own & other)) / either if either else 0.0

    def _rarity(self, term: str) -> float:
        count = self._count[term]
        return math.log(1 + (len(self._terms) - count + 0.5) / (count + 0.5))
