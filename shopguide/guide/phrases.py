"""Which of some known questions another one is: by the rare words that they share, and those that they do not."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from shopguide.text.words import terms

ALIKE = 0.7
"""From so much likeness on two are taken for the same."""
PUNCTUATION, PARTICLES = re.compile(r"[^\w\s]|_"), re.compile("[呢吗啊吧呀嘛]+$")
CLOSER = 200
"""Questions, those that share most words, that are looked at closer."""


class Phrases:
    """Known questions."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._terms = [_terms(text) for text in texts]
        self._with: dict[str, list[int]] = defaultdict(list)
        for place, own in enumerate(self._terms):
            for term in own:
                self._with[term].append(place)

    def nearest(self, text: str, among: Collection[int] | None = None) -> int | None:
        """The place of the one that is most like a text; None: none is like it.

        Args:
            text: a question or message.
            among: places of those that may be; None: all.
        """
        own = _terms(text)
        shared: Counter[int] = Counter()
        for term in own:
            for place in self._with.get(term, ()):
                shared[place] += 1
        places = [place for place, _ in shared.most_common() if among is None or place in among][:CLOSER]
        if not places:
            return None
        best = max(places, key=lambda place: self._likeness(own, place))
        return best if self._likeness(own, best) >= ALIKE else None

    def likeness(self, text: str, place: int) -> float:
        """Words that both have as a share of those that either has (Jaccard), each by its rarity (BM25's idf); numbers
        and punctuation count for nothing.
        """
        return self._likeness(_terms(text), place)

    def _likeness(self, own: frozenset[str], place: int) -> float:
        other = self._terms[place]
        either = sum(map(self._rarity, own | other))
        return sum(map(self._rarity, own & other)) / either if either else 0.0

    def _rarity(self, term: str) -> float:
        count = len(self._with.get(term, ()))
        return math.log(1 + (len(self._terms) - count + 0.5) / (count + 0.5))


def plain(text: str) -> str:
    """A question as it is compared: in lower case, without punctuation and the particles that end it in Chinese."""
    return PARTICLES.sub("", " ".join(PUNCTUATION.sub(" ", text.casefold()).split()))


def _terms(text: str) -> frozenset[str]:
    return frozenset(term for term in terms(plain(text)) if not term.isdigit())
