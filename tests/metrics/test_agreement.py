import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from shopguide.metrics.agreement import quadratic_kappa

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=40)


@settings(deadline=None, max_examples=100)
@given(PAIRS)
def test_as_scikit_learn_counts(pairs: list[tuple[int, int, int]]) -> None:
    truth, predicted, weight = np.array(pairs).T
    ours = quadratic_kappa(truth, predicted, 4, weight.astype(float))
    if len({*truth, *predicted}) == 1:
        assert np.isnan(ours)
    else:
        theirs = cohen_kappa_score(truth, predicted, weights="quadratic", labels=range(4), sample_weight=weight)
        np.testing.assert_allclose(ours, theirs, atol=1e-9)
