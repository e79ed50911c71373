"""The kernels beside the modules that they stand in for, in double precision; which modules those are."""

import pickle
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import gelu, layer_norm, linear
from transformers import AutoConfig, AutoModel

from shopguide.models import fused as fused_modules
from shopguide.models.fused import fuse
from tests.models.test_unpadded import batch_of, model_of

FUSED_A_LAYER = {"bert": 3, "roberta": 3, "electra": 3, "modernbert": 0, "gpt2": 0}
"""Two sums with a normalisation and an activation."""


def replaced(model: nn.Module) -> list[nn.Module]:
    return [module for module in model.modules() if "forward" in vars(module)]


@pytest.mark.parametrize("kind", FUSED_A_LAYER)
def test_the_modules_that_have_a_kernel(kind: str) -> None:
    model = model_of(kind)
    fuse(model)
    assert len(replaced(model)) == FUSED_A_LAYER[kind] * model.config.num_hidden_layers


@pytest.mark.parametrize("kind", [kind for kind, count in FUSED_A_LAYER.items() if count])
def test_they_are_what_the_kernels_compute(kind: str) -> None:
    model = model_of(kind).eval()
    fuse(model)
    for module in replaced(model):
        states = torch.randn(3, 5, module.dense.in_features)
        if hasattr(module, "LayerNorm"):
            norm, residual = module.LayerNorm, torch.randn(3, 5, module.dense.out_features)
            total = linear(states, module.dense.weight) + module.dense.bias + residual
            expected = layer_norm(total, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
            torch.testing.assert_close(type(module).forward(module, states, residual), expected)
        else:
            torch.testing.assert_close(type(module).forward(module, states), gelu(module.dense(states)))


@pytest.mark.parametrize("copy", [deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_on_a_cpu_a_model_and_its_copies_stay_as_they_were(copy: Callable[[nn.Module], Any]) -> None:
    model = model_of("bert").eval()
    batch = {name: batch_of([7, 3])[name] for name in ("input_ids", "attention_mask")}
    before = model(**batch).logits
    fuse(model)
    copied = copy(model)
    with torch.no_grad():
        next(iter(copied.bert.encoder.layer)).output.dense.weight.zero_()
    torch.testing.assert_close(model(**batch).logits, before, rtol=0, atol=0)
    assert not torch.allclose(copied(**batch).logits, before)


def test_what_only_has_the_names_is_left_alone() -> None:
    shape = AutoConfig.for_model(
        *("xmod",), vocab_size=60, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    model = AutoModel.from_config(shape)
    fuse(model)
    assert not [one for one in replaced(model) if type(one).__name__ == "XmodSelfOutput"]
    assert [type(one).__name__ for one in replaced(model)] == ["XmodIntermediate"]


def test_an_activation_without_a_kernel_is_left_alone() -> None:
    model = model_of("bert", hidden_act="relu")
    fuse(model)
    assert len(replaced(model)) == 2 * model.config.num_hidden_layers


ROWS, WIDTH = 517, 768


def drawn(seed: int, *shape: int) -> torch.Tensor:
    values = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return values.cuda().requires_grad_()


def compared(ours: torch.Tensor, theirs: torch.Tensor, inputs: list[torch.Tensor], bound: float) -> None:
    above = torch.randn(ours.shape, generator=torch.Generator().manual_seed(9)).cuda()
    assert float((ours.double() - theirs).norm() / theirs.norm()) < bound
    mine = torch.autograd.grad(ours, inputs, above.to(ours.dtype))
    other = torch.autograd.grad(theirs, inputs, above.double())
    for a, b in zip(mine, other, strict=True):
        assert float((a.double() - b.double()).norm() / b.double().norm()) < bound


def add_norm_inputs(dtype: torch.dtype, width: int) -> list[torch.Tensor]:
    x, residual = (drawn(seed, ROWS, width).detach().to(dtype).requires_grad_() for seed in (0, 1))
    return [x, drawn(2, width), residual, drawn(3, width), drawn(4, width)]


def normalised(inputs: list[torch.Tensor], change: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    x, bias, residual, weight, shift = (part.double() for part in inputs)
    return layer_norm(change(x + bias) + residual, (x.shape[-1],), weight, shift, 1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-2)])
@pytest.mark.parametrize("width", [WIDTH, 1024, 312, 20])
def test_the_sum_is_normalised(dtype: torch.dtype, bound: float, width: int) -> None:
    from shopguide.models.kernels import add_norm

    inputs = add_norm_inputs(dtype, width)
    compared(add_norm(*inputs, 1e-5, 0.0, 0), normalised(inputs, lambda x: x), inputs, bound)


@pytest.mark.gpu
def test_the_backward_pass_drops_what_the_forward_pass_dropped() -> None:
    from shopguide.models.kernels import add_norm

    inputs, share = add_norm_inputs(torch.float32, WIDTH), 0.3
    ours = add_norm(*inputs, 1e-5, share, 77)
    (to_x,) = torch.autograd.grad(ours, inputs[:1], torch.randn_like(ours), retain_graph=True)
    kept = to_x != 0
    for way in (0, 1):
        assert abs(float(kept.float().mean()) - (1 - share)) < 0.005
        assert float(kept.float().mean(way).std()) < 3 * (share * (1 - share) / kept.shape[way]) ** 0.5
    compared(ours, normalised(inputs, lambda x: x * kept / (1 - share)), inputs, 1e-5)
    other = add_norm(*inputs, 1e-5, share, 78)
    assert not torch.equal(ours, other)
    assert torch.equal(ours, add_norm(*inputs, 1e-5, share, 77))


@pytest.mark.gpu
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-2)])
@pytest.mark.parametrize("width", [3072, 100])
def test_the_sum_is_activated(dtype: torch.dtype, bound: float, width: int) -> None:
    from shopguide.models.kernels import bias_gelu

    inputs = [drawn(0, ROWS, width).detach().to(dtype).requires_grad_(), drawn(1, width)]
    compared(bias_gelu(*inputs), gelu(inputs[0].double() + inputs[1].double()), inputs, bound)


@pytest.mark.gpu
@pytest.mark.parametrize("kind", [kind for kind, count in FUSED_A_LAYER.items() if count])
def test_a_fused_model_is_as_near_to_full_precision_as_the_plain_one(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fused_modules, "LEAST", 1)
    plain = model_of(kind).cuda().eval()
    fused = deepcopy(plain)
    fuse(fused)
    batch: dict[str, Any] = {k: batch_of([30, 7])[k].cuda() for k in ("input_ids", "attention_mask")}
    exact = plain(**batch).logits[0]
    with torch.autocast("cuda", torch.bfloat16):
        near, ours = plain(**batch).logits[0], fused(**batch).logits[0]
    assert not torch.equal(near, ours)
    assert float((ours - exact).norm()) < 1.5 * float((near - exact).norm())
