"""Baselines of recommendation: what is bought most, and what is bought together.

Shapes: N shoppers, M products, K found.
"""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix, diags

from shopguide.tasks.task import Examples

AT_ONCE = 1000
"""Shoppers whose scores of all products are held at a time."""
Ranking = tuple[np.ndarray, np.ndarray]
"""(N, K) rows of the catalogue, -1 where there are fewer, and (N, K) scores."""


def popularity(train: Examples, held_out: Examples, count: int) -> Ranking:
    """The products that came next most often, the same for everyone."""
    score = np.asarray(_baskets(train, train.wanted or []).sum(0)).ravel()
    rows, found = _best(score[None], count)
    return np.repeat(rows, len(held_out), axis=0), np.repeat(found, len(held_out), axis=0)


def item_knn(train: Examples, held_out: Examples, count: int) -> Ranking:
    """Σ over the history of the cosine of the baskets that two products are in (Sarwar et al. 2001; Deshpande and
    Karypis 2004); a basket is what is known and what comes next of a training example.
    """
    together = [[*known, *following] for known, following in zip(train.history or (), train.wanted or (), strict=True)]
    baskets = _baskets(train, together)
    sizes = np.sqrt(np.asarray(baskets.sum(0)).ravel())
    scaled = baskets @ diags(1 / np.maximum(sizes, 1))
    alike = (scaled.T @ scaled).tolil()
    alike.setdiag(0)
    scores = (_baskets(held_out, held_out.history or []) @ alike.tocsr()).tocsr()
    parts = [_best(scores[row : row + AT_ONCE].toarray(), count) for row in range(0, max(1, len(held_out)), AT_ONCE)]
    rows, found = (np.concatenate(column) for column in zip(*parts, strict=True))
    return rows, found


def _baskets(examples: Examples, baskets: Sequence[Sequence[str] | dict[str, float]]) -> csr_matrix:
    """(N, M) 1 where a product is in a basket."""
    assert examples.catalogue is not None
    place = {item: column for column, item in enumerate(examples.catalogue.ids)}
    columns = [sorted({place[item] for item in basket if item in place}) for basket in baskets]
    bounds = np.cumsum([0, *map(len, columns)])
    flat = np.array([column for own in columns for column in own], dtype=np.int64)
    return csr_matrix((np.ones(len(flat)), flat, bounds), shape=(len(columns), len(place)))


def _best(scores: np.ndarray, count: int) -> Ranking:
    """(N, M) → the K best of each row that have any score, of equals the first in the catalogue."""
    count = min(count, scores.shape[1])
    rows = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    found = np.take_along_axis(scores, rows, 1)
    return np.where(found > 0, rows, -1), found
