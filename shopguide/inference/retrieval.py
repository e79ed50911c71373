"""Scores of retrieval over a whole catalogue, never over a sample of it.

Shapes: N queries, K products found of each.
"""

from collections.abc import Sequence

import numpy as np

from shopguide.inference.evaluation import Scores
from shopguide.inference.grades import relevant_from
from shopguide.metrics.bootstrap import bootstrap
from shopguide.metrics.ranking import Ranked
from shopguide.tasks.task import Examples

DEPTH = 100
"""Products found of each query."""
NAMES = {"ndcg_at_10": "ndcg@10", "mrr_at_10": "mrr@10", "recall_at_10": "recall@10", "recall_at_100": "recall@100"}
"""Name in MLflow, which takes no @ → name of the metric."""
K = 60
"""Of reciprocal rank fusion."""

Found = tuple[np.ndarray, np.ndarray]
"""(N, K) rows of the catalogue, -1 where there are fewer, and (N, K) scores."""


def retrieval_scores(examples: Examples, found: Found) -> Scores:
    """Means over the queries that have a product worth something; intervals by drawing equal queries together."""
    wanted, catalogue = examples.wanted or [], examples.catalogue
    assert catalogue is not None
    place = {item: row for row, item in enumerate(catalogue.ids)}
    asked = [query for query, worth in enumerate(wanted) if any(worth.values())]
    if not asked:
        return Scores(dict.fromkeys(NAMES, 0.0), {}, 0)
    columns: list[tuple[int, int, float, float]] = []
    for query in asked:
        gains = {place[item]: gain for item, gain in wanted[query].items() if item in place}
        scores = {
            int(row): float(score) for row, score in zip(found[0][query], found[1][query], strict=True) if row >= 0
        }
        nothing = float("nan")
        columns += [(query, row, scores.get(row, nothing), gains.get(row, nothing)) for row in {**gains, **scores}]
    queries, rows, scored, gained = (np.array(column) for column in zip(*columns, strict=True))
    ranked = Ranked.of(queries, rows, scored, gained, least_relevant(wanted))
    values = np.stack([ranked.per_query(name) for name in NAMES.values()])
    groups = [examples.groups[query] for query in asked]
    bounds = bootstrap(groups, lambda weight: values @ weight / weight.sum())
    means = dict(zip(NAMES, values.mean(1).tolist(), strict=True))
    return Scores(means, dict(zip(NAMES, bounds, strict=True)), len(asked))


def least_relevant(wanted: Sequence[dict[str, float]]) -> float:
    """The least gain of a product that counts as fitting."""
    return relevant_from(max((gain for worth in wanted for gain in worth.values()), default=0.0))


def without(found: Found, left_out: Sequence[set[int]], count: int) -> Found:
    """The first `count` rows that each query does not leave out."""
    rows, scores = np.full((len(left_out), count), -1, dtype=np.int64), np.zeros((len(left_out), count))
    for query, banned in enumerate(left_out):
        kept = [place for place, row in enumerate(found[0][query].tolist()) if row >= 0 and row not in banned][:count]
        rows[query, : len(kept)], scores[query, : len(kept)] = found[0][query][kept], found[1][query][kept]
    return rows, scores


def fused(*several: Found) -> Found:
    """Reciprocal rank fusion, Σ 1 / (60 + rank) (Cormack et al. 2009)."""
    count, depth = several[0][0].shape
    rows, scores = np.full((count, depth), -1, dtype=np.int64), np.zeros((count, depth))
    for query in range(count):
        total: dict[int, float] = {}
        for found, _ in several:
            for rank, row in enumerate(found[query][found[query] >= 0].tolist(), 1):
                total[row] = total.get(row, 0.0) + 1 / (K + rank)
        best = sorted(total, key=lambda row: (-total[row], row))[:depth]
        rows[query, : len(best)], scores[query, : len(best)] = best, [total[row] for row in best]
    return rows, scores
