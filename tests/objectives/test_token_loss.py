import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from shopguide.objectives import token_loss as module
from shopguide.objectives.token_loss import summed_loss, token_loss
from shopguide.text.masking import IGNORE


@given(rows=st.integers(1, 9), words=st.integers(2, 40), cached=st.integers(1, 200), scale=st.sampled_from([0.1, 30.0]))
def test_loss_and_gradient_are_those_of_cross_entropy(rows: int, words: int, cached: int, scale: float) -> None:
    torch.manual_seed(rows * 100 + words)
    logits, truth = torch.randn(rows, words) * scale, torch.randint(words, (rows,))
    truth[torch.rand(rows) < 0.3] = IGNORE
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CACHED", cached)
        loss, total = token_loss(ours * 1, truth), summed_loss(logits, truth)
    (3 * loss).backward()
    reference = cross_entropy(theirs, truth)
    (3 * reference).backward()
    torch.testing.assert_close(loss, reference, equal_nan=True)
    torch.testing.assert_close(total, cross_entropy(logits.double(), truth, reduction="sum"), rtol=1e-5, atol=1e-5)
    if loss.isfinite():
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-5, atol=1e-6)


def test_gradient_is_right_in_half_precision_and_after_accumulation() -> None:
    logits = torch.randn(5, 11).bfloat16().requires_grad_()
    truth = torch.randint(11, (5,))
    (token_loss(logits * 1, truth) / 2).backward()
    (token_loss(logits * 1, truth) / 2).backward()
    expected = (logits.float().softmax(-1) - torch.nn.functional.one_hot(truth, 11)) / 5
    torch.testing.assert_close(logits.grad.float(), expected, rtol=0.02, atol=0.002)


def test_without_positions_it_is_nan_as_torchs_is() -> None:
    assert token_loss(torch.zeros(0, 4, requires_grad=True), torch.zeros(0, dtype=torch.long)).isnan()
    assert summed_loss(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long)) == 0
