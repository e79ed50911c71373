"""Whether one system is better than another on the same queries, or of the same seeds or folds."""

import math
from collections.abc import Sequence

import numpy as np

DRAWS = 10_000
TOGETHER = 500


def randomisation_test(one: np.ndarray, other: np.ndarray, *, draws: int = DRAWS, seed: int = 0) -> float:
    """Two-sided p-value of the mean difference: how often it is as large when each query's two values are swapped or
    not by the toss of a coin (Fisher 1935; for retrieval: Smucker, Allan & Carterette 2007).

    Args:
        one: (Q,) values of a system.
        other: (Q,) of the other, of the same queries.
        draws: of all tosses.
        seed: of the draws.

    Raises:
        ValueError: the two are of unequal length, or empty.
    """
    if len(one) != len(other) or not len(one):
        raise ValueError(f"expected values of the same queries, found {len(one)} and {len(other)}")
    difference = np.asarray(one, dtype=np.float64) - np.asarray(other, dtype=np.float64)
    draw = np.random.default_rng(seed)
    least = abs(difference.sum()) * (1 - 1e-12)
    extreme = 0
    for start in range(0, draws, TOGETHER):
        tosses = draw.integers(0, 2, (min(TOGETHER, draws - start), len(difference)), dtype=np.int8)
        extreme += int((np.abs((2 * tosses - 1) @ difference) >= least).sum())
    return (extreme + 1) / (draws + 1)


def paired_t_test(differences: Sequence[float], overlap: float = 0.0) -> float:
    """Two-sided p-value of a mean difference over seeds or folds (Student 1908); NaN of fewer than two, and where all
    are the same, so that nothing is known of how they vary.

    The folds of a cross-validation learn from the same examples, so that their differences vary less than those of
    independent samples: the variance of the mean is taken as (1/n + overlap) s² (Nadeau and Bengio 2003).

    Args:
        differences: n, each of a seed or a fold.
        overlap: examples that a fold is tested on as a share of those that it learns from; 0 for seeds.
    """
    from scipy.special import stdtr

    if len(differences) < 2:
        return math.nan
    mean, spread = float(np.mean(differences)), float(np.std(differences, ddof=1))
    if spread <= abs(mean) * 1e-9:
        return 1.0 if mean == 0 else math.nan
    t = abs(mean) / (spread * math.sqrt(1 / len(differences) + overlap))
    return float(2 * stdtr(len(differences) - 1, -t))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of several tests, each so raised that one of them is wrongly below α with a chance of α at most
    (Holm 1979); NaN is no test.
    """
    order = sorted((p, place) for place, p in enumerate(p_values) if not math.isnan(p))
    adjusted, highest = list(p_values), 0.0
    for rank, (p, place) in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p))
        adjusted[place] = highest
    return adjusted
