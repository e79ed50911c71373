"""How sure a network may be: P(y | x) ∝ P_network(y | x)^(1/T), temperature scaling (Guo et al. 2017).

T is the mode over examples that the network has not learnt from, log T being normal around 0 beforehand, which keeps a
handful of examples from saying much. The order of the classes stays. Shapes: N examples, C classes.
"""

import numpy as np

SMALLEST = 1e-9
BOUNDS = (-1.5, 3.0)
"""Of log T: from a network that doubts far too much to one that is sure of everything."""


def tempered(posterior: np.ndarray, temperature: float) -> np.ndarray:
    """(N, C) ∝ posterior^(1/T)."""
    if temperature == 1:
        return posterior
    scores = np.log(np.maximum(posterior, SMALLEST)) / temperature
    raised = np.exp(scores - scores.max(-1, keepdims=True)) if len(scores) else scores
    found: np.ndarray = (raised / raised.sum(-1, keepdims=True)).astype(np.float32)
    return found


def temperature(posterior: np.ndarray, labels: np.ndarray) -> float:
    """T of (N, C) posteriors.

    Args:
        posterior: of examples that were not learnt from.
        labels: (N,) class numbers; rows outside 0 … C − 1 say nothing.
    """
    from scipy.optimize import minimize_scalar

    known = np.flatnonzero((labels >= 0) & (labels < posterior.shape[1]))
    if not len(known):
        return 1.0
    own, truth, rows = posterior[known], labels[known], np.arange(len(known))

    def loss(log: float) -> float:
        said = tempered(own, float(np.exp(log)))[rows, truth]
        return float(log * log / 2 - np.log(np.maximum(said, SMALLEST)).sum())

    return float(np.exp(minimize_scalar(loss, bounds=BOUNDS, method="bounded").x))
