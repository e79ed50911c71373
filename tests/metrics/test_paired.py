import math

import numpy as np
import pytest
from scipy.stats import permutation_test

from shopguide.metrics.paired import holm, paired_t_test, randomisation_test


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


@pytest.mark.parametrize(
    ("differences", "p"),
    [([0.1], math.nan), ([0.02, 0.02], math.nan), ([0.0, 0.0, 0.0], 1.0), ([0.1, 0.1 + 1e-17], math.nan)],
)
def test_differences_that_tell_nothing(differences: list[float], p: float) -> None:
    assert paired_t_test(differences) == pytest.approx(p, nan_ok=True)


def test_of_several_tests_each_is_raised() -> None:
    assert holm([0.04, 0.01, math.nan, 0.03]) == pytest.approx([0.06, 0.03, math.nan, 0.06], nan_ok=True)
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []
