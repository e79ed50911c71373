import pytest
import torch

from shopguide.models.dropout import draw_signs
from shopguide.models.dropped_attention import dropped_attention

SHARE = 0.3


def plain(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float | None, bias: torch.Tensor | None,
          signs: torch.Tensor) -> torch.Tensor:  # fmt: skip
    scores = query @ key.transpose(-1, -2) * (scaling or query.shape[-1] ** -0.5)
    weights = (scores if bias is None else scores + bias).softmax(-1)
    return (weights * ~signs.signbit().view(weights.shape) / (1 - SHARE)) @ value


def drawn(dtype: torch.dtype) -> tuple[list[torch.Tensor], torch.Tensor]:
    torch.manual_seed(0)
    rows = [torch.randn(2, 3, 5, 4, dtype=dtype).requires_grad_() for _ in range(3)]
    return rows, draw_signs(2 * 3 * 5 * 5, SHARE)


@pytest.mark.parametrize("scaling", [None, 0.7])
@pytest.mark.parametrize("seen", [False, True])
def test_values_and_gradients_are_those_of_autograd(scaling: float | None, seen: bool) -> None:
    rows, signs = drawn(torch.double)
    bias = torch.zeros(5, 5, dtype=torch.double).masked_fill_(torch.ones(5, 5).triu(1) > 0, float("-inf"))
    bias = bias if seen else None
    ours = dropped_attention(*rows, scaling, SHARE, bias, signs)
    weight = torch.randn_like(ours)
    found = torch.autograd.grad((ours * weight).sum(), rows)
    theirs = plain(*rows, scaling, bias, signs)
    torch.testing.assert_close(ours, theirs)
    for own, other in zip(found, torch.autograd.grad((theirs * weight).sum(), rows), strict=True):
        torch.testing.assert_close(own, other)


def test_in_half_precision_it_is_as_exact_as_that() -> None:
    rows, signs = drawn(torch.float)
    with torch.autocast("cpu", torch.bfloat16):
        ours = dropped_attention(*rows, None, SHARE, None, signs)
    assert ours.dtype == torch.bfloat16
    found = torch.autograd.grad(ours.float().square().sum(), rows)
    theirs = plain(*rows, None, None, signs)
    torch.testing.assert_close(ours.float(), theirs, rtol=0.03, atol=0.03)
    for own, other in zip(found, torch.autograd.grad(theirs.square().sum(), rows), strict=True):
        assert own.dtype == torch.float
        torch.testing.assert_close(own, other, rtol=0.06, atol=0.06)
