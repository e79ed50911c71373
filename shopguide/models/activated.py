"""The wide states of a BERT layer, kept once on CPU: what goes into the second product of its feed-forward part is made
again, on the way back, from what went into the activation.

Autograd keeps both, and they are the widest states of a layer. The products and the activation are the same, and so are
the gradients; a layer's activation is computed once more a step.

Shapes: T tokens, I width between the two products, D width of the layer.
"""

from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import gelu, linear
from transformers.activations import GELUActivation

BEFORE = "shopguide_before"
"""Attribute of a tensor: what it is the GELU of, and the version of it that is (a tensor may be changed in place)."""


class _ActivatedLinear(torch.autograd.Function):
    """Y = A Wᵀ + b with A = GELU(X), of which X is kept: ∂A = ∂Y W, ∂W = ∂Yᵀ A, ∂b = Σ ∂Y."""

    @staticmethod
    def forward(
        ctx: Any, activated: torch.Tensor, before: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        ctx.save_for_backward(before, weight)
        ctx.dtype = activated.dtype
        return linear(activated, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        before, weight = ctx.saved_tensors
        (gradient,) = gradients
        rows = gradient.flatten(0, -2)
        _, _, of_weight, of_bias = ctx.needs_input_grad
        activated = gelu(before).to(ctx.dtype).flatten(0, -2) if of_weight else None
        return (
            torch.matmul(gradient, weight),
            None,
            None if activated is None else torch.matmul(rows.T, activated),
            rows.sum(0) if of_bias else None,
        )


class TracedGelu(GELUActivation):
    """GELU whose result tells, on CPU and where gradients are wanted, what it was made from."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(…, T, I) → (…, T, I)."""
        out: torch.Tensor = super().forward(values)
        if out.requires_grad and out.device.type == "cpu" and not out.is_nested:
            setattr(out, BEFORE, (values.detach(), out._version))
        return out


class ActivatedLinear(nn.Linear):
    """A linear layer that keeps what its input was made from, where the input tells."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(…, T, I) → (…, T, D)."""
        before, version = getattr(values, BEFORE, (None, None))
        if before is None or version != values._version or not torch.is_grad_enabled():
            return super().forward(values)
        half = torch.is_autocast_enabled("cpu")
        dtype = torch.get_autocast_dtype("cpu") if half else values.dtype
        with torch.autocast("cpu", enabled=False):
            weight, bias = (None if own is None else own.to(dtype) for own in (self.weight, self.bias))
            out: torch.Tensor = _ActivatedLinear.apply(values.to(dtype), before, weight, bias)  # type: ignore[no-untyped-call]
        return out


def keep_once(model: nn.Module) -> None:
    """Have each feed-forward part of a model, GELU(dense) and dense, keep its wide states once, in place.

    Weights and names stay as they are.
    """
    for module in model.modules():
        activation: Any = getattr(getattr(module, "intermediate", None), "intermediate_act_fn", None)
        dense: Any = getattr(getattr(module, "output", None), "dense", None)
        if type(activation) is GELUActivation and activation.act is gelu and type(dense) is nn.Linear:
            activation.__class__, dense.__class__ = TracedGelu, ActivatedLinear
