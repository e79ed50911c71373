"""Intervals of metrics: whole groups (a query, a title) are drawn with replacement.

Source: the cluster bootstrap percentile interval, Davison & Hinkley 1997, §2.4 and §5.3.
"""

from collections.abc import Callable, Sequence

import numpy as np

RESAMPLES = 1000


def bootstrap(
    groups: Sequence[str],
    scores: Callable[[np.ndarray], Sequence[float] | np.ndarray],
    *,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int = 0,
) -> list[tuple[float, float]]:
    """Percentile intervals of M scores.

    Args:
        groups: (N,) names; rows of one group are drawn together.
        scores: (N,) how often each row counts → M scores; NaN where a draw says nothing.
        resamples: number of draws.
        level: share of the draws inside the interval.
        seed: of the draws.
    """
    _, owner = np.unique(np.asarray(groups), return_inverse=True)
    draw = np.random.default_rng(seed)
    size = int(owner.max()) + 1
    drawn = [
        scores(np.bincount(draw.integers(0, size, size), minlength=size)[owner].astype(float)) for _ in range(resamples)
    ]
    low, high = np.nanquantile(np.array(drawn), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def bootstrap_intervals(
    truth: np.ndarray,
    predicted: np.ndarray,
    groups: Sequence[str],
    *,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Percentile intervals of accuracy, macro F1 and weighted F1.

    Args:
        truth: (N,) class numbers from 0.
        predicted: (N,) class numbers from 0.
        groups: (N,) names; rows of one group are drawn together.
        resamples: number of draws.
        level: share of the draws inside the interval.
        seed: of the draws.
    """
    classes = int(max(truth.max(), predicted.max())) + 1
    found = bootstrap(
        groups,
        lambda weight: weighted_scores(truth, predicted, weight, classes),
        resamples=resamples,
        level=level,
        seed=seed,
    )
    return dict(zip(("accuracy", "macro_f1", "weighted_f1"), found, strict=True))


def weighted_scores(
    truth: np.ndarray, predicted: np.ndarray, weight: np.ndarray, classes: int
) -> tuple[float, float, float]:
    """Accuracy, macro F1 (over classes that occur) and weighted F1 of rows that count `weight` times."""
    right = np.bincount(truth, weight * (truth == predicted), minlength=classes)
    in_truth = np.bincount(truth, weight, minlength=classes)
    in_predicted = np.bincount(predicted, weight, minlength=classes)
    occurs = (in_truth + in_predicted) > 0
    f1 = np.divide(2 * right, in_truth + in_predicted, out=np.zeros(classes), where=occurs)
    total = in_truth.sum()
    return float(right.sum() / total), float(f1[occurs].mean()), float((f1 * in_truth).sum() / total)
