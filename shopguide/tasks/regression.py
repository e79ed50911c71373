"""Logistic regression as weights of a linear layer.

Shapes: N examples, C classes, D features.
"""

from typing import Any

import numpy as np

PENALTY = 0.1
"""C of scikit-learn for a probe: the loss summed over the examples weighs this much beside half the squared weights."""
PASSES = 200


def class_weights(fitted: Any, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """(C, D) weights and (C,) biases of a fitted LogisticRegression; a class that it has not seen is never told.

    Of two classes scikit-learn has those of the second one.
    """
    seen = np.asarray(fitted.classes_)
    weights, biases = fitted.coef_, fitted.intercept_
    if len(seen) == 2:
        weights, biases = np.concatenate([-weights, weights]) / 2, np.concatenate([-biases, biases]) / 2
    every = np.zeros((classes, weights.shape[1]), dtype=np.float32), np.full(classes, -np.inf, dtype=np.float32)
    every[0][seen], every[1][seen] = weights, biases
    return every


def probe(states: np.ndarray, labels: np.ndarray, classes: int, biased: bool) -> tuple[np.ndarray, np.ndarray]:
    """(C, D) weights and (C,) biases of a regression on states that are brought to a spread of one, and back.

    Args:
        states: (N, D).
        labels: (N,) class numbers, each class at least once; others are left out.
        classes: C.
        biased: whether the layer has biases; else they are zero, and the states' means stay.
    """
    from sklearn.linear_model import LogisticRegression

    known = (labels >= 0) & (labels < classes)
    mean = states.mean(0) * biased
    spread = states.std(0) + 1e-6
    fitted = LogisticRegression(C=PENALTY, max_iter=PASSES, fit_intercept=biased)
    weights, biases = class_weights(fitted.fit((states[known] - mean) / spread, labels[known]), classes)
    weights = weights / spread
    return weights, biases - weights @ mean
