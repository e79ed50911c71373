"""How much what is known of a query and a product counts for their order: learnt from what shoppers chose.

Shapes: N queries, K candidates of a query, F features.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST = 50
"""Queries from which weights are learnt."""
PENALTY = 1.0
"""Of the squared distance from where weights start."""


@dataclass(frozen=True)
class Blend:
    """Weights of features, by which products are put in order."""

    first: np.ndarray
    """(F,) of what is known of every candidate."""
    read: np.ndarray | None
    """(F + 1,) of those, and of the expected gain, of candidates that a cross-encoder has read."""
    least: float = -1.0
    """Cosine of the nearest product, below which it seldom is for queries that shoppers found something with."""


def learnt(features: Sequence[np.ndarray], chosen: Sequence[np.ndarray], start: np.ndarray) -> np.ndarray | None:
    """(F,) weights with which softmax over the candidates of each query gives most to those that were chosen (ListNet's
    top one, Cao et al. 2007); None where something was chosen of fewer than `LEAST` queries.

    Args:
        features: of each of N queries, (K, F).
        chosen: of each, (K,) what its candidates are worth; 0: not chosen.
        start: (F,) weights that few queries leave as they are.
    """
    from scipy.optimize import minimize

    known = [(x, y / y.sum()) for x, y in zip(features, chosen, strict=True) if y.sum() > 0]
    if len(known) < LEAST:
        return None

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        off = weights - start
        total, slope = 0.5 * PENALTY * float(off @ off), PENALTY * off
        for x, share in known:
            scores = x @ weights
            scores = scores - scores.max()
            raised = np.exp(scores)
            total -= float(share @ (scores - np.log(raised.sum())))
            slope = slope - x.T @ (share - raised / raised.sum())
        return total, slope

    found: np.ndarray = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return found
