import numpy as np

from shopguide.tasks.class_tree import consistent, training_paths
from shopguide.tasks.task import Examples

SPACES = {"top": ["a", "b"], "leaf": ["a1", "a2", "b1"]}


def test_paths_are_those_of_training_labelled_at_every_level() -> None:
    labels = {"top": ["b", "a", "a", "a", None], "leaf": ["b1", "a2", "a1", None, "a1"]}
    train = Examples(first=list("01234"), labels=labels)
    assert training_paths(train, SPACES) == [[0, 0], [0, 1], [1, 2]]


def test_marginals_of_all_paths_counted_one_by_one() -> None:
    draw = np.random.default_rng(0)
    paths = [[0, 0], [0, 1], [1, 2]]
    own = {"top": draw.dirichlet([1, 1], 20), "leaf": draw.dirichlet([1, 1, 1], 20)}
    found = consistent(own, paths)
    for row in range(20):
        weights = [np.sqrt(own["top"][row, top] * own["leaf"][row, leaf]) for top, leaf in paths]
        shares = np.array(weights) / sum(weights)
        np.testing.assert_allclose(found["leaf"][row], shares, rtol=1e-5)
        np.testing.assert_allclose(found["top"][row], [shares[0] + shares[1], shares[2]], rtol=1e-5)


def test_a_class_may_stand_below_several() -> None:
    labels = {"top": ["a", "b", "a"], "leaf": ["a1", "a1", "a2"]}
    train = Examples(first=list("123"), labels=labels)  # type: ignore[arg-type]
    assert training_paths(train, SPACES) == [[0, 0], [0, 1], [1, 0]]


def test_no_examples() -> None:
    found = consistent({"top": np.zeros((0, 2)), "leaf": np.zeros((0, 3))}, [[0, 0]])
    assert [matrix.shape for matrix in found.values()] == [(0, 2), (0, 3)]
