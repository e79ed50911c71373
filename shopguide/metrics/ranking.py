"""Metrics of ranked lists, as trec_eval counts them, for all queries at once.

A row is a pair of a query and a product: retrieved (it has a score), judged (it has a gain), or both. nDCG divides the
gains in their rank order, each by log₂(rank + 1), by the same of the best order of all that is judged (Järvelin &
Kekäläinen 2002, with linear gains); a gain below 0 counts as 0. For the other metrics a product is relevant from a
gain on. A query that has nothing relevant counts as 0. Shapes: N rows, Q queries, D draws.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

NAMES = ("ndcg@10", "mrr@10", "map", "recall@10", "hr@10")
NOWHERE = 1 << 40
COLUMNS = ("queries", "items", "scores", "gains")
NAME = re.compile(r"(ndcg|mrr|map|recall|hr|precision)(?:@([1-9]\d*))?")


@dataclass(frozen=True)
class Ranked:
    """Rows query by query, those of each query by falling score."""

    names: np.ndarray
    """(Q,) of the queries."""
    query: np.ndarray
    """(N,) number of the query of each row, rising."""
    rank: np.ndarray
    """(N,) from 0; `NOWHERE` where the product was not retrieved."""
    gain: np.ndarray
    """(N,) at least 0."""
    relevant: np.ndarray
    """(N,) whether the product is."""

    @classmethod
    def of(
        cls, queries: Any, items: Any, scores: np.ndarray, gains: np.ndarray, relevant_from: float = 1.0
    ) -> "Ranked":
        """Sort the rows; of equal scores, the product of the greater id comes first, as in trec_eval.

        Args:
            queries: (N,) names or numbers.
            items: (N,) names or numbers, each once a query.
            scores: (N,); NaN where a judged product was not retrieved.
            gains: (N,); NaN where a retrieved product was not judged: it gains nothing.
            relevant_from: the least gain of a relevant product.

        Raises:
            ValueError: the columns are of unequal length, or a query has a product twice.
        """
        scores, gains = np.asarray(scores), np.nan_to_num(np.asarray(gains, dtype=np.float64), nan=0.0)
        if not len(queries) == len(items) == len(scores) == len(gains):
            lengths = f"{len(queries)}, {len(items)}, {len(scores)} and {len(gains)}"
            raise ValueError(f"expected queries, items, scores and gains of one length, found {lengths}")
        names, query = np.unique(np.asarray(queries), return_inverse=True)
        known, item = np.unique(np.asarray(items), return_inverse=True)
        pairs = np.sort(query * len(known) + item)
        if (pairs[1:] == pairs[:-1]).any():
            raise ValueError("expected each product once a query, found one twice")
        order = _falling(query, scores, item, len(known))
        query = query[order]
        place = np.arange(len(query)) - np.searchsorted(query, query)
        rank = np.where(np.isnan(scores)[order], NOWHERE, place)
        return cls(names, query, rank, np.maximum(gains, 0)[order], (gains >= relevant_from)[order])

    def per_query(self, name: str) -> np.ndarray:
        """(Q,) values of a metric, named as `ndcg@10`: ndcg, mrr, map, recall, hr or precision; without @: of all.

        Raises:
            ValueError: there is no such metric.
        """
        found = NAME.fullmatch(name)
        if found is None or name == "precision":
            raise ValueError(
                f"metric {name}: expected ndcg, mrr, map, recall, hr (with or without @k) or precision@k, as ndcg@10"
            )
        cut = int(found[2]) if found[2] else len(self.rank)
        return METRICS[found[1]](self, cut)

    @cached_property
    def relevant_count(self) -> np.ndarray:
        """(Q,) relevant products, retrieved or not."""
        return self.summed(self.relevant)

    @cached_property
    def starts(self) -> np.ndarray:
        """(Q,) the first row of each query."""
        return np.searchsorted(self.query, np.arange(len(self.names)))

    def summed(self, values: np.ndarray) -> np.ndarray:
        """(N,) → (Q,)."""
        sums: np.ndarray = np.bincount(self.query, values, minlength=len(self.names))
        return sums

    def hits(self, cut: int) -> np.ndarray:
        """(Q,) relevant products among the first `cut`."""
        return self.summed(self.relevant & (self.rank < cut))


def _falling(query: np.ndarray, scores: np.ndarray, item: np.ndarray, items: int) -> np.ndarray:
    """Rows by query, then falling score (NaN last), then falling item: sorts of whole numbers are the fastest."""
    _, level = np.unique(-scores, return_inverse=True)
    place = np.empty_like(query)
    place[np.argsort(level * items - item)] = np.arange(len(query))
    return np.argsort(query * len(query) + place)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    shares: np.ndarray = np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
    return shares


def _ndcg(ranked: Ranked, cut: int) -> np.ndarray:
    gains, level = np.unique(-ranked.gain, return_inverse=True)
    best = -gains[np.sort(ranked.query * len(gains) + level) % max(1, len(gains))]
    place = np.arange(len(best)) - ranked.starts[ranked.query]
    ideal = ranked.summed(best * (place < cut) / np.log2(place + 2))
    return _share(ranked.summed(ranked.gain * (ranked.rank < cut) / np.log2(ranked.rank + 2)), ideal)


def _mrr(ranked: Ranked, cut: int) -> np.ndarray:
    found = np.where(ranked.relevant & (ranked.rank < cut), 1 / (ranked.rank + 1), 0.0)
    return np.maximum.reduceat(found, ranked.starts) if len(found) else found


def _map(ranked: Ranked, cut: int) -> np.ndarray:
    running = np.cumsum(ranked.relevant)
    before = (running - ranked.relevant)[ranked.starts][ranked.query] if len(running) else running
    precision = (running - before) / (ranked.rank + 1)
    return _share(ranked.summed(precision * ranked.relevant * (ranked.rank < cut)), ranked.relevant_count)


def _recall(ranked: Ranked, cut: int) -> np.ndarray:
    return _share(ranked.hits(cut), ranked.relevant_count)


def _hr(ranked: Ranked, cut: int) -> np.ndarray:
    return (ranked.hits(cut) > 0).astype(float)


def _precision(ranked: Ranked, cut: int) -> np.ndarray:
    return ranked.hits(cut) / cut


METRICS: dict[str, Callable[[Ranked, int], np.ndarray]] = {
    "ndcg": _ndcg,
    "mrr": _mrr,
    "map": _map,
    "recall": _recall,
    "hr": _hr,
    "precision": _precision,
}


class Ranking(Metric):
    """Means over queries of metrics of ranked lists, gathered batch by batch, from all processes.

    Args:
        names: of the metrics, as in `Ranked.per_query`.
        relevant_from: the least gain of a relevant product.
    """

    full_state_update = False
    higher_is_better = True

    def __init__(self, names: Sequence[str] = NAMES, relevant_from: float = 1.0) -> None:
        super().__init__()
        self.names, self.relevant_from = tuple(names), relevant_from
        for column in COLUMNS:
            self.add_state(column, default=[], dist_reduce_fx="cat")

    def update(self, queries: torch.Tensor, items: torch.Tensor, scores: torch.Tensor, gains: torch.Tensor) -> None:
        """Add (B,) rows; a query's may come in several batches."""
        for name, column in zip(COLUMNS, (queries, items, scores, gains), strict=True):
            getattr(self, name).append(column.detach())

    def compute(self) -> dict[str, torch.Tensor]:
        """Name → mean over the queries; NaN without any."""
        columns = [dim_zero_cat(getattr(self, name)).cpu().numpy() for name in COLUMNS]
        ranked = Ranked.of(columns[0], columns[1], columns[2], columns[3], self.relevant_from)
        means = {name: ranked.per_query(name) for name in self.names}
        return {name: torch.tensor(values.mean() if len(values) else np.nan) for name, values in means.items()}
