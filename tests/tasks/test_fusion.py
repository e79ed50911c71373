from pathlib import Path

import numpy as np
from sklearn.metrics import log_loss

from shopguide.tasks.fusion import FILE, Fusion, pool
from shopguide.tasks.labels import encode_labels, label_spaces
from tests.tasks.test_lexical import CLASSES, examples, fitted


def test_a_pool_of_powers_one_and_nought_is_one_of_the_two() -> None:
    one, other = (np.random.default_rng(seed).dirichlet(np.ones(4), 9) for seed in (0, 1))
    np.testing.assert_allclose(pool(one, other, 1, 0), one, rtol=1e-5)
    np.testing.assert_allclose(pool(one, other, 0, 1), other, rtol=1e-5)
    product = one * other
    np.testing.assert_allclose(pool(one, other, 1, 1), product / product.sum(1, keepdims=True), rtol=1e-5)
    assert pool(one[:0], other[:0], 1, 1).shape == (0, 4)


def test_the_better_of_the_two_is_believed(tmp_path: Path) -> None:
    lexical, spaces = fitted(CLASSES), label_spaces(CLASSES)
    draw = np.random.default_rng(0)
    truth = encode_labels(CLASSES, spaces)[:, 0]
    noise = {"t": draw.dirichlet(np.ones(3), len(CLASSES))}
    sure = {"t": np.eye(3)[truth] * 0.97 + 0.01}
    ignorant = Fusion.fit(lexical, noise, CLASSES, spaces)
    assert ignorant.powers["t"][0] < 0.1 < ignorant.powers["t"][1]
    fused = ignorant(noise, CLASSES.first, None)["t"]
    assert (fused.argmax(1) == truth).all()
    assert (ignorant.cross_fitted(noise, CLASSES, spaces)["t"].argmax(1) == truth).all()
    knowing = Fusion.fit(lexical, sure, CLASSES, spaces)
    assert knowing.powers["t"][0] > 0.3
    ignorant.save(tmp_path)
    again = Fusion.load(tmp_path)
    assert again is not None
    assert again.powers == ignorant.powers
    (tmp_path / FILE).unlink()
    assert Fusion.load(tmp_path) is None


def test_without_held_out_examples_both_are_believed() -> None:
    nobody = CLASSES.of("dev")
    found = Fusion.fit(fitted(CLASSES), {"t": np.zeros((0, 3))}, nobody, label_spaces(CLASSES))
    assert min(found.powers["t"]) > 0


def test_the_powers_are_those_of_the_least_loss_with_classes_weighted_by_their_roots() -> None:
    draw = np.random.default_rng(0)
    truth = draw.choice(3, 400, p=[0.8, 0.15, 0.05])
    held_out = examples([f"word{i} word{i + 1}" for i in truth], [f"c{i}" for i in truth])
    lexical, spaces = fitted(held_out.take(np.arange(60))), label_spaces(held_out)
    network = {"t": draw.dirichlet(np.ones(3), 400) * 0.5 + np.eye(3)[truth] * 0.5}
    other = lexical.posterior(held_out.first, None)["t"]
    weights = 1 / np.sqrt(np.bincount(truth))[truth]

    def loss(a: float, b: float) -> float:
        posterior = pool(network["t"], other, a, b).astype(np.float64)
        return float(log_loss(truth, posterior / posterior.sum(1, keepdims=True), sample_weight=weights))

    found = Fusion.fit(lexical, network, held_out, spaces).powers["t"]
    grid = [loss(a, b) for a in np.linspace(0, 4, 17) for b in np.linspace(0, 4, 17)]
    assert loss(*found) <= min(grid) + 1e-5
