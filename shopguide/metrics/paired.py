"""Whether one system is better than another on the same queries."""

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
