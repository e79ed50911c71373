"""Recommendation: what comes next for a shopper, and because of what.

Shapes: M products, H of a history.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shopguide.guide.lexicon import Lexicon
from shopguide.guide.shelf import CATEGORY, Asked, Shelf
from shopguide.inference.encoder import Encoder
from shopguide.records.tables import Shop, column

DEPTH = 200
"""Products among which is chosen."""
ONCE = 0.5
"""A category is bought once, where shoppers buy in it again less often than this share of how often anybody does."""


@dataclass(frozen=True)
class Seen:
    """What a shopper has seen and wants, rows of products, the latest first."""

    viewed: Sequence[int] = ()
    purchased: Sequence[int] = ()
    query: str = ""


@dataclass(frozen=True)
class Recommended:
    """A product, and the one of the history that it is most like; None: it is popular."""

    row: int
    score: float
    because: int | None


class Recommender:
    """Knows what shoppers bought.

    Args:
        shelf: M products.
        shop: its records, of which the behaviours count.
        lexicon: of the products' texts.
        encoder: reads a history, with the same products as its catalogue; None: products are alike by `vectors`.
        vectors: another encoder with these products; None: what is popular in the categories of the history and has
            the query's words.
    """

    def __init__(
        self, shelf: Shelf, shop: Shop, lexicon: Lexicon, encoder: Encoder | None, vectors: Encoder | None
    ) -> None:
        self._shelf, self._lexicon, self._encoder, self._vectors = shelf, lexicon, encoder, vectors
        self._popularity = _popularity(shelf, shop)
        categories = shelf.facets[CATEGORY]
        once = _bought_once(shelf, shop)
        self._kind = categories.codes
        self._once = np.array([place for place, name in enumerate(categories.values) if name in once], dtype=np.int64)

    def recommend(self, seen: Seen, count: int, asked: Asked, diversity: float = 0.0) -> list[Recommended]:
        """Products that the shopper does not know, the best first; of categories that are bought once, none of those
        just bought.

        Args:
            seen: the history.
            count: of them.
            asked: what they are to be like.
            diversity: 0: the best ones, as alike as they are; up to 1: each unlike those before it (maximal marginal
                relevance, Carbonell & Goldstein 1998).
        """
        scores = self._scores(seen)
        mask = self._shelf.allowed(asked)
        free = np.ones(len(self._shelf), bool) if mask is None else mask.copy()
        known = [*seen.viewed, *seen.purchased]
        free[known] = False
        free &= ~np.isin(self._kind, np.intersect1d(self._kind[np.array(seen.purchased, dtype=np.int64)], self._once))
        rows = np.flatnonzero(free)
        rows = rows[np.argsort(-scores[rows], kind="stable")][:DEPTH]
        chosen = rows[:count] if diversity <= 0 else self._diverse(rows, scores[rows], count, diversity)
        return [Recommended(int(row), float(scores[row]), self._because(int(row), known)) for row in chosen]

    def _scores(self, seen: Seen) -> np.ndarray:
        """(M,): cosines to the history, as it is read, and where there is none, how often a product was bought."""
        known = [*seen.viewed, *seen.purchased]
        if not known and not seen.query:
            return self._popularity
        if self._encoder is not None:
            assert self._encoder.catalogue is not None
            texts = self._encoder.catalogue.products.texts
            record = {"query": seen.query, "viewed": [texts[row] for row in seen.viewed]}
            record["purchased"] = [texts[row] for row in seen.purchased]
            text = self._encoder.card.inputs.render(record)[0]
            vector = self._encoder.vectors([text])[0]
            return self._encoder.catalogue.cosines(vector)
        if self._vectors is not None:
            assert self._vectors.catalogue is not None
            asked = [self._vectors.vectors([seen.query])[0]] if seen.query else []
            own = [self._vectors.catalogue.matrix[row] for row in known]
            mean = np.mean([*asked, *own], axis=0)
            return self._vectors.catalogue.cosines(mean / max(np.linalg.norm(mean), 1e-12))
        alike = np.isin(self._kind, self._kind[np.array(known, dtype=np.int64)]) & (self._kind >= 0)
        words = self._lexicon.scores(seen.query)
        found: np.ndarray = self._popularity + alike + words / max(float(words.max()), 1e-12)
        return found

    def _diverse(self, rows: np.ndarray, scores: np.ndarray, count: int, diversity: float) -> list[int]:
        if not len(rows):
            return []
        left, chosen = list(range(len(rows))), list[int]()
        spread = (scores - scores.min()) / (np.ptp(scores) or 1)
        alike = np.zeros(len(rows))
        while left and len(chosen) < count:
            worth = (1 - diversity) * spread[left] - diversity * alike[left]
            best = left.pop(int(np.argmax(worth)))
            chosen.append(int(rows[best]))
            alike = np.maximum(alike, self._likeness(int(rows[best]), rows))
        return chosen

    def _likeness(self, row: int, rows: np.ndarray) -> np.ndarray:
        """(R,) cosines, or 1 of the same category."""
        encoder = self._vectors or self._encoder
        if encoder is None:
            found: np.ndarray = ((self._kind[rows] == self._kind[row]) & (self._kind[row] >= 0)).astype(float)
            return found
        assert encoder.catalogue is not None
        return encoder.catalogue.cosines(encoder.catalogue.matrix[row], rows)

    def _because(self, row: int, known: Sequence[int]) -> int | None:
        if not len(known):
            return None
        alike = self._likeness(row, np.array(known))
        return int(known[int(np.argmax(alike))]) if alike.max() > 0 else None


def _popularity(shelf: Shelf, shop: Shop) -> np.ndarray:
    """(M,) purchases of each product, as shares of the most frequent one; a view is worth a tenth."""
    worth = np.zeros(len(shelf))
    for name, gain in (("purchased_items", 1.0), ("viewed_items", 0.1)):
        for items in column(shop.behaviours, name) if len(shop.behaviours) else []:
            known = [shelf.place[item] for item in items if item in shelf.place]
            np.add.at(worth, known, gain)
    found: np.ndarray = worth / max(worth.max(), 1e-12)
    return found


def _bought_once(shelf: Shelf, shop: Shop) -> set[str | None]:
    """Categories that a shopper who bought in them seldom buys in again: less often than `ONCE` of the share by which
    anybody buys in them.
    """
    if not len(shop.behaviours):
        return set()
    bought: dict[str, list[set[str]]] = defaultdict(list)
    users, baskets = column(shop.behaviours, "user_id"), column(shop.behaviours, "purchased_items")
    for user, items in zip(users, baskets, strict=True):
        own = {category for item in items if item in shelf.place and (category := shelf.categories[shelf.place[item]])}
        if user and own:
            bought[user].append(own)
    share, total, chances, again = Counter[str](), 0, Counter[str](), Counter[str]()
    for sessions in bought.values():
        before: set[str] = set()
        for own in sessions:
            share.update(own)
            total += 1
            chances.update(before)
            again.update(before & own)
            before |= own
    return {name for name, count in chances.items() if again[name] / count < ONCE * share[name] / total}
