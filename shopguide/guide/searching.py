"""Search in two stages: BM25 and a bi-encoder, fused by reciprocal ranks, then a cross-encoder over the first ones.

Shapes: M products, K found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from shopguide.guide.lexicon import Lexicon
from shopguide.guide.shelf import Asked, Shelf
from shopguide.inference.encoder import Encoder
from shopguide.inference.retrieval import Found, fused
from shopguide.inference.second_stage import SecondStage

DEPTH = 100
"""Products that either of the first stages finds."""


@dataclass(frozen=True)
class Query:
    """What is looked for."""

    text: str
    asked: Asked = field(default_factory=lambda: Asked({}))
    rerank: bool = True
    mend: bool = True
    """Whether words that no product has are taken for those most like them."""


@dataclass(frozen=True)
class Hits:
    """What a query found."""

    searched: str
    """The query, mended where words of it are in no product."""
    rows: np.ndarray
    """(K,), the best first."""
    scores: np.ndarray
    """(K,) expected gains as shares of the greatest one, where a cross-encoder read them (below 0: it did not), else
    sums of reciprocal ranks."""


class Searcher:
    """Finds products.

    Args:
        shelf: M products.
        lexicon: of their texts.
        encoder: with the same products as its catalogue, in the same order; None: words alone find them.
        second: what reads the first ones beside the query.
        texts: of the products, as the cross-encoder reads them.
    """

    def __init__(
        self,
        shelf: Shelf,
        lexicon: Lexicon,
        encoder: Encoder | None = None,
        second: SecondStage | None = None,
        texts: Sequence[str] = (),
    ) -> None:
        assert encoder is None or (encoder.catalogue is not None and len(encoder.catalogue.products) == len(shelf))
        self._shelf, self._lexicon, self._encoder = shelf, lexicon, encoder
        self._second, self._texts = second, texts

    def search(self, queries: Sequence[Query]) -> list[Hits]:
        """What each query finds; the models read all of them at once.

        Raises:
            DataError: a filter is of no facet.
        """
        masks = [self._shelf.allowed(query.asked) for query in queries]
        said = [self._lexicon.mended(query.text) if query.mend else query.text for query in queries]
        vectors = self._encoder.vectors(said) if self._encoder is not None and queries else None
        found: list[Found] = []
        for place, (text, mask) in enumerate(zip(said, masks, strict=True)):
            stages = [self._by_words(text, mask)]
            if vectors is not None:
                stages.append(self._by_meaning(vectors[place : place + 1], mask))
            found.append(fused(*stages))
        return self._read(queries, said, found)

    def _by_words(self, text: str, mask: np.ndarray | None) -> Found:
        scores = self._lexicon.scores(text)
        scores = scores if mask is None else np.where(mask, scores, 0)
        count = min(DEPTH, len(scores))
        rows = np.argpartition(-scores, count - 1)[:count]
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        return _filled(np.where(scores[rows] > 0, rows, -1)), _filled(scores[rows])

    def _by_meaning(self, vector: np.ndarray, mask: np.ndarray | None) -> Found:
        assert self._encoder is not None
        catalogue = self._encoder.catalogue
        assert catalogue is not None
        if mask is None:
            rows, scores = catalogue.nearest(vector, DEPTH)
            return _filled(rows[0]), _filled(scores[0])
        allowed = np.flatnonzero(mask)
        cosines = catalogue.cosines(vector[0], allowed)
        order = np.argsort(-cosines, kind="stable")[:DEPTH]
        return _filled(allowed[order]), _filled(cosines[order])

    def _read(self, queries: Sequence[Query], said: Sequence[str], found: Sequence[Found]) -> list[Hits]:
        """The first ones in the order of the cross-encoder, which reads those of all queries at once."""
        reads = [place for place, query in enumerate(queries) if query.rerank and self._second is not None]
        ordered = list(found)
        if reads:
            assert self._second is not None
            together = tuple(np.concatenate([found[place][part] for place in reads]) for part in range(2))
            rows, scores = self._second.ordered([said[place] for place in reads], self._texts, together)  # type: ignore[arg-type]
            for number, place in enumerate(reads):
                ordered[place] = rows[number : number + 1], scores[number : number + 1]
        told = []
        for text, (rows, scores) in zip(said, ordered, strict=True):
            known = rows[0] >= 0
            told.append(Hits(text, rows[0][known], scores[0][known]))
        return told


def _filled(values: np.ndarray) -> np.ndarray:
    """(≤ DEPTH,) → (1, DEPTH)."""
    found = np.full((1, DEPTH), -1, dtype=values.dtype)
    found[0, : len(values)] = values
    return found
