"""Logistic regression as weights of a linear layer.

Shapes: N examples, C classes, D features.
"""

import warnings
from typing import Any

import numpy as np

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


def probe(
    states: np.ndarray, labels: np.ndarray, classes: int, biased: bool, dropout: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """(C, D) weights and (C,) biases of a regression on states, as the layer is trained: with dropout before it.

    Dropout of a share p adds to the loss of N examples, to the second order, N · p / (1 − p) · v · ‖w‖² / 2, where each
    feature has a root mean square of one and v is the mean of π (1 − π) over examples and classes (Wager et al. 2013).
    So each feature is divided by its root mean square, and that much is added to the penalty ‖w‖² / 2, π being the
    class's share first and, in a second pass, its probability by the first.

    Args:
        states: (N, D).
        labels: (N,) class numbers, two classes at least; others are left out.
        classes: C; one that no example has gets no weights, and the bias of the rarest.
        biased: whether the layer has biases; else they are zero, and the states' means stay.
        dropout: p.
    """
    from sklearn.linear_model import LogisticRegression

    known = (labels >= 0) & (labels < classes)
    states, labels = states[known], labels[known]
    mean, size = states.mean(0) * biased, np.sqrt(np.square(states).mean(0)) + TINY
    features, posterior = (states - mean) / size, np.unique(labels, return_counts=True)[1] / len(labels)
    for _ in range(1 + bool(dropout)):
        penalty = 1 + len(labels) * dropout / (1 - dropout) * float((posterior * (1 - posterior)).mean())
        regression = LogisticRegression(C=1 / penalty, max_iter=PASSES, fit_intercept=biased)
        posterior = fitted(regression, features, labels).predict_proba(features)
    weights, biases = class_weights(regression, classes)
    weights, biases = weights / size, np.maximum(biases, biases[np.isfinite(biases)].min())
    return weights, biases - weights @ mean
