"""Logistic regression as weights of a linear layer.

Shapes: N examples, C classes, D features.
"""

import warnings
from typing import Any

import numpy as np

PENALTY = 1.0
"""C of scikit-learn for a probe: the loss summed over the examples weighs this much beside half the squared weights."""
PASSES = 200
TINY = 1e-6


def fitted(regression: Any, features: Any, labels: np.ndarray) -> Any:
    """A LogisticRegression, after as many passes as it is allowed: what it warns of is no news to the user."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", message="The number of unique classes")  # of few examples, told elsewhere
        return regression.fit(features, labels)


def class_weights(regression: Any, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """(C, D) weights and (C,) biases of a fitted LogisticRegression; a class that it has not seen is never told.

    Of two classes scikit-learn has those of the second one.
    """
    seen = np.asarray(regression.classes_)
    weights, biases = regression.coef_, regression.intercept_
    if len(seen) == 2:
        weights, biases = np.concatenate([-weights, weights]) / 2, np.concatenate([-biases, biases]) / 2
    every = np.zeros((classes, weights.shape[1]), dtype=np.float32), np.full(classes, -np.inf, dtype=np.float32)
    every[0][seen], every[1][seen] = weights, biases
    return every


def probe(states: np.ndarray, labels: np.ndarray, classes: int, biased: bool) -> tuple[np.ndarray, np.ndarray]:
    """(C, D) weights and (C,) biases of a regression on states.

    Each feature is divided by its root mean square, so that the penalty is that of dropout before the layer (Wager et
    al. 2013): a feature that hardly varies, as those of a saturated pooler, gets no large weight.

    Args:
        states: (N, D).
        labels: (N,) class numbers, two classes at least; others are left out.
        classes: C; one that no example has gets no weights, and the bias of the rarest.
        biased: whether the layer has biases; else they are zero, and the states' means stay.
    """
    from sklearn.linear_model import LogisticRegression

    known = (labels >= 0) & (labels < classes)
    states, labels = states[known], labels[known]
    mean, size = states.mean(0) * biased, np.sqrt(np.square(states).mean(0)) + TINY
    regression = LogisticRegression(C=PENALTY, max_iter=PASSES, fit_intercept=biased)
    weights, biases = class_weights(fitted(regression, (states - mean) / size, labels), classes)
    weights, biases = weights / size, np.maximum(biases, biases[np.isfinite(biases)].min())
    return weights, biases - weights @ mean
