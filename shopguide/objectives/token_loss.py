"""Cross-entropy over a vocabulary that makes its gradient on the way forward, a few rows at a time.

The logits of a language model are the largest tensor of a step. The usual way goes over them five times (log-softmax,
its pick, and both backward), each time out of the cache; here they are read once.

Shapes: M positions, V vocabulary.
"""

from typing import Any

import torch
from torch.nn.functional import cross_entropy

CACHED = 1 << 19
"""Logits worked on at a time: as many as stay in a core's cache."""


class _TokenLoss(torch.autograd.Function):
    """−(1/M) Σᵢ log softmax(logitsᵢ)[truthᵢ]; gradient (softmax − one-hot) / M."""

    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        gradient, losses = torch.empty_like(logits), []
        rows = max(1, CACHED // logits.shape[1])
        for part, right, out in zip(*(torch.split(t, rows) for t in (logits, truth[:, None], gradient)), strict=True):
            torch.sub(part, part.amax(-1, keepdim=True), out=out)
            picked = out.gather(1, right)
            total = out.exp_().sum(-1, keepdim=True)
            losses.append(total.log() - picked)
            out.mul_(1 / (total * len(truth)))
            out.scatter_add_(1, right, out.new_full(right.shape, -1 / len(truth)))
        ctx.save_for_backward(gradient)
        return torch.cat(losses).mean()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * gradients[0] if float(gradients[0]) != 1 else gradient, None


def token_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of (M, V) logits and (M,) right ids, in full precision.

    Without any position it is NaN, as torch's is.
    """
    logits = logits.float()
    if not (logits.requires_grad and logits.device.type == "cpu" and len(truth)):
        return cross_entropy(logits, truth)
    loss: torch.Tensor = _TokenLoss.apply(logits, truth)  # type: ignore[no-untyped-call]
    return loss
