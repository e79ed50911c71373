import numpy as np
import torch

from shopguide.models.posterior import posteriors


def test_posteriors_sum_to_one_within_each_target() -> None:
    parts = posteriors(torch.randn(7, 5), [2, 3])
    assert [tuple(p.shape) for p in parts] == [(7, 2), (7, 3)]
    for part in parts:
        np.testing.assert_allclose(part.sum(-1), 1, rtol=1e-6)
