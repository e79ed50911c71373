import numpy as np
import pytest
from scipy.stats import permutation_test

from shopguide.metrics.paired import randomisation_test


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.4])
def test_as_all_swaps_would_say(shift: float) -> None:
    draw = np.random.default_rng(1)
    one, other = draw.normal(shift, 0.3, 12), draw.normal(0, 0.3, 12)
    exact = permutation_test(
        (one, other), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert randomisation_test(one, other) == pytest.approx(exact, abs=0.02)


def test_the_same_system_is_not_better() -> None:
    assert randomisation_test(np.ones(50), np.ones(50)) == 1.0


def test_unequal_queries() -> None:
    with pytest.raises(ValueError, match="found 2 and 3"):
        randomisation_test(np.zeros(2), np.zeros(3))
