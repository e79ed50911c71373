import numpy as np
import pytest
from scipy.optimize import check_grad

from shopguide.guide import blending
from shopguide.guide.blending import LEAST, PENALTY, learnt


def draw(count: int, weights: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Choices by softmax of known weights."""
    rng = np.random.default_rng(0)
    features = [rng.normal(size=(12, len(weights))) for _ in range(count)]
    chosen = []
    for x in features:
        scores = np.exp(x @ weights)
        chosen.append(np.eye(len(x))[rng.choice(len(x), p=scores / scores.sum())])
    return features, chosen


def test_weights_of_many_choices_are_found_again() -> None:
    true = np.array([1.5, -0.5, 0.0])
    found = learnt(*draw(4000, true), np.zeros(3))
    assert found == pytest.approx(true, abs=0.08)


def test_few_choices_leave_weights_near_where_they_start() -> None:
    start = np.array([3.0, 1.0])
    fewer, more = (learnt(*draw(count, np.zeros(2)), start) for count in (LEAST, 2000))
    assert fewer is not None
    assert more is not None
    assert np.abs(fewer - start).max() > np.abs(more).max()
    assert np.linalg.norm(more) < np.linalg.norm(fewer) < np.linalg.norm(start)


def test_nothing_is_learnt_from_hardly_any() -> None:
    features, chosen = draw(LEAST, np.ones(2))
    assert learnt(features[1:], chosen[1:], np.zeros(2)) is None
    assert learnt(features, [np.zeros(12), *chosen[1:]], np.zeros(2)) is None
    assert learnt([], [], np.zeros(2)) is None


def test_the_slope_is_the_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}

    def minimize(loss: object, start: np.ndarray, **_: object) -> object:
        seen["loss"] = loss
        return type("Found", (), {"x": start})

    monkeypatch.setattr("scipy.optimize.minimize", minimize)
    features, chosen = draw(60, np.ones(3))
    chosen[0] = chosen[0] + 0.5
    blending.learnt(features, chosen, np.full(3, 0.3))
    loss = seen["loss"]
    point = np.array([0.2, -1.0, 0.7])
    assert check_grad(lambda w: loss(w)[0], lambda w: loss(w)[1], point) < 1e-4  # type: ignore[operator]
    assert PENALTY == 1.0
