"""The loss of an LM head's last layer, some positions at a time: of many, the logits are never there at once.

The logits of 8,000 positions over 30,000 words take half a gigabyte in half precision, more than all else of a small
model's step, and a causal LM has as many positions as tokens. Each part's gradients of states and weights are made on
the way forward, while its logits are there (as in Liger's fused linear cross-entropy: Hsu et al. 2024).

Shapes: M positions, C width, V vocabulary.
"""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import linear

from shopguide.objectives.token_loss import made_gradient, summed_loss, token_loss
from shopguide.text.masking import IGNORE

AT_ONCE = {"cpu": 1 << 26}
"""Logits that are there at a time, by kind of device."""
ELSEWHERE = 1 << 28


def rows_at_once(words: int, device: torch.device) -> int:
    """Positions that are worked on at a time: a power of two, at least one."""
    return 1 << max(1, AT_ONCE.get(device.type, ELSEWHERE) // words).bit_length() - 1


class _HeadLoss(torch.autograd.Function):
    """−(1/M) Σᵢ log softmax(W sᵢ + b)[truthᵢ], over the M positions with loss."""

    @staticmethod
    def forward(
        ctx: Any,
        states: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        truth: torch.Tensor,
        dtype: torch.dtype,
    ) -> torch.Tensor:
        rows, shares = rows_at_once(len(weight), weight.device), (truth != IGNORE).float()
        half, added = weight.to(dtype), None if bias is None else bias.to(dtype)
        of_states = torch.empty_like(states)
        of_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        of_bias = torch.zeros_like(bias) if bias is not None and ctx.needs_input_grad[2] else None
        losses = []
        columns = states.to(dtype), of_states, truth, shares
        for part, gradient, right, share in zip(*(torch.split(column, rows) for column in columns), strict=True):
            logits = linear(part, half, added)
            losses.append(made_gradient(logits, right, share))
            gradient.copy_(logits @ half)
            if of_weight is not None:
                of_weight += logits.T @ part
            if of_bias is not None:
                of_bias += logits.sum(0, dtype=of_bias.dtype)
        ctx.save_for_backward(shares.sum(), of_states, of_weight, of_bias)
        return torch.stack(losses).sum() / shares.sum()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        count, *sums = ctx.saved_tensors  # of all positions: in float16, those of one in so many would be 0
        scale = gradients[0].float() / count
        own = (None if made is None else (made.float() * scale).to(made.dtype) for made in sums)
        return (*own, None, None)


def head_loss(states: torch.Tensor, layer: nn.Linear, truth: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the layer's logits of (M, C) states and (M,) right ids, as `token_loss` has it."""
    if len(states) <= rows_at_once(layer.out_features, states.device):
        return token_loss(layer(states), truth)
    kind = states.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else layer.weight.dtype
    with torch.autocast(kind, enabled=False):
        loss: torch.Tensor = _HeadLoss.apply(states, layer.weight, layer.bias, truth, dtype)  # type: ignore[no-untyped-call]
    return loss


def head_sums(states: torch.Tensor, layer: nn.Linear, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum of the cross-entropies, and the number of positions whose most probable id is the right one."""
    rows = rows_at_once(layer.out_features, states.device)
    losses, right = [], []
    for part, ids in zip(torch.split(states, rows), torch.split(truth, rows), strict=True):
        logits = layer(part)
        losses.append(summed_loss(logits, ids))
        right.append((logits.argmax(-1) == ids).sum())
    return torch.stack(losses).sum(), torch.stack(right).sum()
