"""Agreement of ordered grades."""

import numpy as np


def quadratic_kappa(truth: np.ndarray, predicted: np.ndarray, grades: int, weight: np.ndarray | None = None) -> float:
    """Cohen's kappa with disagreements weighted by the square of their distance (Cohen 1968).

    Args:
        truth: (N,) numbers of grades, in their order, from 0.
        predicted: (N,) likewise.
        grades: how many there are.
        weight: (N,) how often each row counts; None: once.

    Returns:
        1 where all agree, 0 what chance would reach; NaN where truth and predictions are all of one same grade.
    """
    counts = np.bincount(truth * grades + predicted, weight, minlength=grades**2).reshape(grades, grades)
    places = np.arange(grades)
    distance = (places[:, None] - places) ** 2
    by_chance = np.outer(counts.sum(1), counts.sum(0)) / counts.sum()
    expected = (distance * by_chance).sum()
    return float(1 - (distance * counts).sum() / expected) if expected else float("nan")
