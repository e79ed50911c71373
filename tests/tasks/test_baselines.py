import numpy as np

from shopguide.tasks.baselines import majority


def test_majority_gives_the_training_shares() -> None:
    labels = np.array([[0], [0], [1], [-100]])
    np.testing.assert_allclose(majority(labels, {"t": ["a", "b"]}, 2)["t"], [[2 / 3, 1 / 3]] * 2)
