"""Search in two stages: BM25 and a bi-encoder find, a cross-encoder reads the first ones; all three have a say.

Shapes: M products, K candidates of a query, C kinds of products, F features: of words; of meaning, where there is a
bi-encoder; of the kind that is wanted, where there is a model of need.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from shopguide.guide.blending import Blend, learnt
from shopguide.guide.kinds import Kinds
from shopguide.guide.lexicon import Lexicon
from shopguide.guide.shelf import Asked, Shelf
from shopguide.inference.encoder import Encoder
from shopguide.inference.retrieval import K as RANKS
from shopguide.inference.second_stage import DEPTH as READ
from shopguide.inference.second_stage import SecondStage

FEW = 4
"""Of this many products one is allowed, or fewer: the cosines of those alone are quicker."""
DEPTH = 100
"""Products that either of the first stages finds."""
SELDOM = 0.02
"""Share of queries with which shoppers found something that are taken for ones that nothing fits."""


@dataclass(frozen=True)
class Query:
    """What is looked for."""

    text: str
    asked: Asked = field(default_factory=lambda: Asked({}))
    rerank: bool = True
    mend: bool = True
    """Whether words that no product has are taken for those most like them; the guide then also reads bounds of the
    price and what is not wanted."""


@dataclass(frozen=True)
class Hits:
    """What a query found."""

    searched: str
    """The query, mended where words of it are in no product."""
    rows: np.ndarray
    """(K,), the best first."""
    scores: np.ndarray
    """(K,) 1 / rank: weights of several features have no scale that two queries share."""
    wanted: np.ndarray | None
    """(C,) probabilities of kinds."""
    fits: bool | None
    """Whether a product is as near as one is to nearly all queries with which shoppers found something; None: nobody
    knows how near that is."""

    @property
    def found_nothing(self) -> bool:
        """Whether there is no product, or none that fits."""
        return not len(self.rows) or self.fits is False


@dataclass(frozen=True)
class Candidates:
    """What the first stages found for a query."""

    searched: str
    rows: np.ndarray
    """(K,)."""
    features: np.ndarray
    """(K, F): BM25 as a share of the best product's, cosine, probability that its kind is wanted."""
    wanted: np.ndarray | None
    nearest: float
    """Cosine of the nearest product; 1 without a bi-encoder."""


class Searcher:
    """Finds products.

    Args:
        shelf: M products.
        lexicon: of their texts.
        encoder: with the same products as its catalogue, in the same order; None: words alone find them.
        kinds: which are wanted.
        second: what reads the first ones beside the query.
        texts: of the products, as the cross-encoder reads them.
    """

    blend: Blend | None = None
    """None: features are added up by their reciprocal ranks (Cormack et al. 2009)."""

    def __init__(
        self,
        shelf: Shelf,
        lexicon: Lexicon,
        encoder: Encoder | None = None,
        kinds: Kinds | None = None,
        second: SecondStage | None = None,
        texts: Sequence[str] = (),
    ) -> None:
        assert encoder is None or (encoder.catalogue is not None and len(encoder.catalogue.products) == len(shelf))
        self._shelf, self._lexicon, self._encoder, self._kinds = shelf, lexicon, encoder, kinds
        self._second, self._texts = second, texts

    def search(self, queries: Sequence[Query]) -> list[Hits]:
        """What each query finds; the models read all of them at once.

        Raises:
            DataError: a filter is of no facet.
        """
        found = [self._ordered(one) for one in self.candidates(queries)]
        reads = [place for place, query in enumerate(queries) if query.rerank and self._second is not None]
        for place, gains in zip(reads, self._gains([found[place] for place in reads]), strict=True):
            found[place] = self._again(found[place], gains)
        least = None if self.blend is None or self._encoder is None else self.blend.least
        fits = [None if least is None else one.nearest >= least for one in found]
        return [
            Hits(one.searched, one.rows, 1 / np.arange(1, len(one.rows) + 1), one.wanted, own)
            for one, own in zip(found, fits, strict=True)
        ]

    def learn(self, queries: Sequence[Query], chosen: Sequence[dict[int, float]]) -> None:
        """Weigh what finds products by what shoppers chose.

        Args:
            queries: that no model has learnt from.
            chosen: of each, row → what the product is worth.
        """
        found = self.candidates(queries)
        worth = [_worth(one, own) for one, own in zip(found, chosen, strict=True)]
        features = [one.features for one in found]
        first = learnt(features, worth, np.zeros(features[0].shape[1])) if features else None
        if first is None:
            return
        nearest = [one.nearest for one, own in zip(found, worth, strict=True) if own.any()]
        self.blend = Blend(first, None, float(np.quantile(nearest, SELDOM)))
        if self._second is None:
            return
        ordered = [self._ordered(one) for one in found]
        shown = [np.c_[one.features[:READ], gains] for one, gains in zip(ordered, self._gains(ordered), strict=True)]
        worth = [_worth(one, own)[:READ] for one, own in zip(ordered, chosen, strict=True)]
        self.blend = replace(self.blend, read=learnt(shown, worth, np.append(first, 0.0)))

    def candidates(self, queries: Sequence[Query]) -> list[Candidates]:
        """What the first stages find for each query, in no order.

        Raises:
            DataError: a filter is of no facet.
        """
        masks = [self._shelf.allowed(query.asked) for query in queries]
        said = [self._lexicon.mended(query.text) if query.mend else query.text for query in queries]
        nothing: Sequence[None] = [None] * len(queries)
        vectors = self._encoder.vectors(said) if self._encoder is not None and said else nothing
        none = [()] * len(queries)
        wanted = self._kinds.posterior(said, none, none) if self._kinds is not None and said else nothing
        return [self._near(*one) for one in zip(said, masks, vectors, wanted, strict=True)]

    def _near(
        self, text: str, mask: np.ndarray | None, vector: np.ndarray | None, wanted: np.ndarray | None
    ) -> Candidates:
        words = self._lexicon.scores(text)
        words = words if mask is None else np.where(mask, words, 0)
        count = min(DEPTH, len(words))
        rows = np.argpartition(-words, count - 1)[:count]
        rows = rows[words[rows] > 0]
        if vector is not None:
            rows = np.union1d(rows, self._by_meaning(vector, mask))
        features, nearest = [words[rows] / max(float(words.max()), 1e-12)], 1.0
        if vector is not None:
            cosines = self._cosines(vector, rows)
            nearest = float(cosines.max(initial=-1.0))
            features.append(cosines)
        if wanted is not None:
            assert self._kinds is not None
            features.append(self._kinds.of(wanted, rows))
        return Candidates(text, rows, np.stack(features, 1), wanted, nearest)

    def _cosines(self, vector: np.ndarray, rows: np.ndarray) -> np.ndarray:
        assert self._encoder is not None
        assert self._encoder.catalogue is not None
        return self._encoder.catalogue.cosines(vector, rows)

    def _by_meaning(self, vector: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
        assert self._encoder is not None
        catalogue = self._encoder.catalogue
        assert catalogue is not None
        if mask is None:
            near: np.ndarray = catalogue.nearest(vector[None], DEPTH)[0][0]
            return near[near >= 0]
        allowed = np.flatnonzero(mask)
        few = FEW * len(allowed) < len(mask)
        cosines = catalogue.cosines(vector, allowed) if few else catalogue.cosines(vector)[allowed]
        found: np.ndarray = allowed[np.argsort(-cosines, kind="stable")[:DEPTH]]
        return found

    def _ordered(self, found: Candidates) -> Candidates:
        scores = found.features @ self.blend.first if self.blend else _ranked(found.features)
        order = np.argsort(-scores, kind="stable")[:DEPTH]
        return replace(found, rows=found.rows[order], features=found.features[order])

    def _gains(self, found: Sequence[Candidates]) -> list[np.ndarray]:
        """(≤ READ,) expected gains of the first products of each query: each query's are read in a pass of their own,
        so that what it finds does not hang on who else asks.
        """
        return [self._read(one.searched, one.rows[:READ]) for one in found]

    def _read(self, query: str, rows: np.ndarray) -> np.ndarray:
        if self._second is None or not len(rows):
            return np.zeros(0)
        return self._second.expected([query] * len(rows), [self._texts[row] for row in rows.tolist()])

    def _again(self, found: Candidates, gains: np.ndarray) -> Candidates:
        """The products that were read in a new order, those that were not behind them."""
        shown = np.c_[found.features[:READ], gains]
        weights = None if self.blend is None else self.blend.read
        scores = _ranked(shown) if weights is None else shown @ weights
        order = np.r_[np.argsort(-scores, kind="stable"), np.arange(len(gains), len(found.rows))]
        return replace(found, rows=found.rows[order], features=found.features[order])


def _ranked(features: np.ndarray) -> np.ndarray:
    """(K,) Σ 1 / (60 + rank) over the features, where they are above 0; equals share a rank."""
    from scipy.stats import rankdata

    if not len(features):
        return np.zeros(0)
    ranks = rankdata(-features, "min", axis=0)
    found: np.ndarray = np.where(features > 0, 1 / (RANKS + ranks), 0.0).sum(1)
    return found


def _worth(found: Candidates, chosen: dict[int, float]) -> np.ndarray:
    return np.array([chosen.get(row, 0.0) for row in found.rows.tolist()])
