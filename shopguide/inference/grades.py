"""Scores of grades: how well a number ranks the products of each list, and how near it comes to what they gain."""

import numpy as np

from shopguide.inference.evaluation import Scores
from shopguide.metrics.agreement import quadratic_kappa
from shopguide.metrics.bootstrap import bootstrap
from shopguide.metrics.ranking import Ranked
from shopguide.tasks.task import Examples

RANKED = {"ndcg_at_10": "ndcg@10", "mrr": "mrr", "map": "map"}
"""Name in MLflow, which takes no @ → name of the metric."""
GRADED = ("rmse", "kappa")
RELEVANT = 0.5
"""A product is relevant whose gain is at least this share of the greatest one."""


def relevant_from(greatest: float) -> float:
    """The least gain of a relevant product, where the greatest gain is known."""
    return RELEVANT * greatest or 1.0


def rank_scores(examples: Examples, scores: np.ndarray, gains: np.ndarray) -> Scores:
    """nDCG@10, MRR and MAP as means over the lists of (N,) scores and gains; a gain of NaN: not judged.

    Of equal scores, the order is drawn: that of the records, in which good products may stand first, says nothing.
    Intervals: queries are drawn together.
    """
    assert examples.lists is not None
    items = np.random.default_rng(0).permutation(len(examples))
    ranked = Ranked.of(examples.lists, items, scores, gains, relevant_from(float(np.nanmax(gains, initial=0.0))))
    group_of = dict(zip(examples.lists, examples.groups, strict=True))
    values = np.stack([ranked.per_query(name) for name in RANKED.values()])
    bounds = bootstrap([group_of[name] for name in ranked.names], lambda weight: values @ weight / weight.sum())
    means = dict(zip(RANKED, values.mean(1).tolist(), strict=True))
    return Scores(means, dict(zip(RANKED, bounds, strict=True)), len(examples))


def grade_scores(examples: Examples, expected: np.ndarray, gains: np.ndarray) -> Scores:
    """Root mean square error of (N,) expected gains, and quadratic kappa of the nearest grades, where gains are known
    (and of more than one kind: of one grade there is no kappa).

    Intervals: queries are drawn together.
    """
    known = ~np.isnan(gains)
    expected, gains = expected[known], gains[known]
    groups = [group for group, keep in zip(examples.groups, known, strict=True) if keep]
    if not groups:
        return Scores({}, {}, 0)
    grades, truth = np.unique(gains, return_inverse=True)
    nearest = np.abs(expected[:, None] - grades).argmin(1)
    squares = (expected - gains) ** 2

    def scored(weight: np.ndarray) -> list[float]:
        error = float(np.sqrt(squares @ weight / weight.sum()))
        return [error, quadratic_kappa(truth, nearest, len(grades), weight)] if len(grades) > 1 else [error]

    values, bounds = scored(np.ones(len(gains))), bootstrap(groups, scored)
    return Scores(dict(zip(GRADED, values, strict=False)), dict(zip(GRADED, bounds, strict=False)), len(gains))
