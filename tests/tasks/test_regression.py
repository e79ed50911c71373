import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from shopguide.tasks.regression import PASSES, PENALTY, class_weights, probe

DRAW = np.random.default_rng(0)


def softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_weights_give_the_posterior_of_the_regression(classes: int) -> None:
    states, labels = DRAW.normal(size=(90, 5)), DRAW.integers(0, classes, 90)
    fitted = LogisticRegression().fit(states, labels)
    weights, biases = class_weights(fitted, classes)
    assert weights.shape == (classes, 5)
    np.testing.assert_allclose(softmax(states @ weights.T + biases), fitted.predict_proba(states), atol=1e-6)


def test_a_class_not_seen_is_never_told() -> None:
    fitted = LogisticRegression().fit(DRAW.normal(size=(40, 5)), np.repeat([0, 2], 20))
    weights, biases = class_weights(fitted, 4)
    assert softmax(DRAW.normal(size=(7, 5)) @ weights.T + biases)[:, [1, 3]].max() == 0


@pytest.mark.parametrize("biased", [True, False])
def test_a_probe_is_the_regression_on_states_of_like_spread(biased: bool) -> None:
    labels = np.tile([0, 1, 2], 40)
    states = DRAW.normal(size=(120, 4)) * [1, 100, 0.01, 1] + [5, 300, 0, 0] + labels[:, None]
    labels[-2:] = -100, 3  # missing, and of a class that training has not
    weights, biases = probe(states, labels, 3, biased)
    shift, spread = states.mean(0) * biased, states.std(0)
    fitted = LogisticRegression(C=PENALTY, max_iter=PASSES, fit_intercept=biased)
    fitted.fit(((states - shift) / spread)[:-2], labels[:-2])
    told = fitted.predict_proba((states - shift) / spread)
    np.testing.assert_allclose(softmax(states @ weights.T + biases), told, atol=2e-3)
    assert biased or not biases.any()
