import pytest
import torch
from torch import nn

from shopguide.models.dropout import CheapDropout, cheapen, draw_signs, dropout


def test_the_share_and_the_scale() -> None:
    torch.manual_seed(0)
    out = dropout(torch.ones(400_000), 0.3)
    assert set(out.unique().tolist()) == {0.0, torch.tensor(1 / 0.7).item()}
    assert abs(float((out == 0).float().mean()) - 0.3) < 0.004  # five standard deviations
    assert draw_signs(7, 0.5).shape == (7,)


def test_the_gradient_goes_where_values_went() -> None:
    torch.manual_seed(0)
    values = torch.randn(50, 8, requires_grad=True)
    out = dropout(values, 0.25)
    out.sum().backward()
    torch.testing.assert_close(values.grad, (out != 0) / 0.75)


@pytest.mark.parametrize("share", [0.001, 0.3, 0.999])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_all_precisions_and_signs_of_whatever_bits(dtype: torch.dtype, share: float) -> None:
    torch.manual_seed(0)
    values = torch.ones(300, 1001, dtype=dtype).T.requires_grad_()
    out = dropout(values, share)
    torch.manual_seed(0)
    kept = ~draw_signs(values.numel(), share).signbit().view(values.shape)
    assert abs(float(kept.float().mean()) - 1 + share) < 0.005
    torch.testing.assert_close(out, kept.to(dtype) * torch.tensor(1 / (1 - share), dtype=dtype))
    (gradient,) = torch.autograd.grad(out.sum(), values)
    torch.testing.assert_close(gradient, out.detach())


def test_decisions_are_independent() -> None:
    torch.manual_seed(0)
    kept = (~draw_signs(400_000, 0.5).signbit()).view(-1, 4).float()
    together = torch.corrcoef(kept.T) - torch.eye(4)
    assert float(together.abs().max()) < 0.02
    neighbours = torch.corrcoef(torch.stack([kept.flatten()[:-1], kept.flatten()[1:]]))[0, 1]
    assert abs(float(neighbours)) < 0.01


def test_draws_follow_torchs_seed() -> None:
    torch.manual_seed(3)
    first, second = (draw_signs(64, 0.5).signbit() for _ in range(2))
    torch.manual_seed(3)
    assert bool((draw_signs(64, 0.5).signbit() == first).all())
    assert not bool((first == second).all())


def test_a_model_keeps_its_names_and_its_evaluation() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Dropout(0.0))
    names, values = list(dict(model.named_modules())), torch.randn(3, 4)
    before = model.eval()(values)
    cheapen(model)
    assert list(dict(model.named_modules())) == names
    assert isinstance(model[1], CheapDropout)
    torch.testing.assert_close(model(values), before)
    torch.manual_seed(0)
    assert bool((model.train()(values) == 0).any())
