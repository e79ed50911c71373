import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from shopguide.tasks.regression import PASSES, class_weights, probe

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


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("biased", [True, False])
def test_a_probe_is_the_regression_on_states_of_like_size(biased: bool, classes: int) -> None:
    labels = np.arange(120) % classes
    states = DRAW.normal(size=(120, 4)) * [1, 100, 0.01, 1] + [5, 300, 0, 0] + labels[:, None]
    labels[-2:] = -100, classes  # missing, and of a class that training has not
    weights, biases = probe(states, labels, classes, biased)
    known = states[:-2]
    shift, size = known.mean(0) * biased, np.sqrt((known**2).mean(0))
    fitted = LogisticRegression(max_iter=PASSES, fit_intercept=biased)
    fitted.fit((known - shift) / size, labels[:-2])
    told = fitted.predict_proba((states - shift) / size)
    np.testing.assert_allclose(softmax(states @ weights.T + biases), told, atol=2e-3)
    assert biased or not biases.any()


def test_dropout_before_the_layer_does_not_upset_a_probe_of_a_saturated_pooler() -> None:
    labels = np.arange(600) % 4
    states = np.tanh(DRAW.normal(size=(600, 32)) * 0.3 + DRAW.normal(size=32) * 2.5 + DRAW.normal(size=(4, 32))[labels])
    weights, biases = probe(states, labels, 4, True)
    dropped = states * (DRAW.random(states.shape) > 0.1) / 0.9
    told = [softmax(seen @ weights.T + biases)[np.arange(600), labels] for seen in (states, dropped)]
    assert [bool(-np.log(share).mean() < np.log(4) / 2) for share in told] == [True, True]
    assert np.abs(weights).max() < 30


def test_dropout_is_what_the_penalty_expects_however_many_examples_there_are() -> None:
    labels = DRAW.integers(0, 4, 4000)
    states = DRAW.normal(size=(4000, 200)) + 0.1 * DRAW.normal(size=(4, 200))[labels]

    def trained_loss(weights: np.ndarray, biases: np.ndarray) -> float:
        dropped = states * (np.random.default_rng(1).random(states.shape) > 0.3) / 0.7
        return float(-np.log(softmax(dropped @ weights.T + biases)[np.arange(4000), labels]).mean())

    best = trained_loss(*probe(states, labels, 4, True, 0.3))
    assert best < trained_loss(*probe(states, labels, 4, True)) - 0.01
    for share in (0.1, 0.6):  # a third of the penalty, and three and a half times as much
        assert best < trained_loss(*probe(states, labels, 4, True, share))


def test_a_class_without_examples_is_as_likely_as_the_rarest() -> None:
    weights, biases = probe(DRAW.normal(size=(60, 5)), np.repeat([0, 2], 30), 3, True)
    assert not weights[1].any()
    assert np.isfinite(biases).all()
