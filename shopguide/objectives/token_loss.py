"""Cross-entropy over a vocabulary that makes its gradient on the way forward, in the place of the logits.

The logits of a language model are the largest tensor of a step. The usual way goes over them five times (log-softmax,
its pick, and both backward), each time out of the cache, and makes as large a tensor thrice (full precision,
log-probabilities, gradient); here they are read once, a few rows at a time, and nothing is made.

Shapes: M positions, V vocabulary.
"""

from typing import Any

import torch
from torch.nn.functional import cross_entropy

from shopguide.text.masking import IGNORE

CACHED = 1 << 19
"""Logits worked on at a time: as many as stay in a core's cache."""


class _TokenLoss(torch.autograd.Function):
    """−(1/M) Σᵢ log softmax(logitsᵢ)[truthᵢ]; gradient (softmax − one-hot) / M, over the M positions with loss."""

    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        gradient = logits.detach()  # the same memory
        loss = made_gradient(gradient, truth, shares_of(truth))
        ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * gradients[0] if float(gradients[0]) != 1 else gradient, None


def shares_of(truth: torch.Tensor) -> torch.Tensor:
    """(M,) of each position's loss in the mean: 1 / the number of those that carry any, else 0."""
    has_loss = truth != IGNORE
    return has_loss / has_loss.sum()


def made_gradient(logits: torch.Tensor, truth: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Σᵢ sharesᵢ · −log softmax(logitsᵢ)[truthᵢ], in full precision; (M, V) logits become its gradient, in place."""
    rows = max(1, CACHED // logits.shape[1]) if logits.device.type == "cpu" else max(1, len(logits))
    space = logits.new_empty(0 if logits.dtype == torch.float else min(rows, len(truth)), logits.shape[1]).float()
    losses = []
    columns = logits, truth[:, None], shares[:, None]
    for part, right, share in zip(*(torch.split(column, rows) for column in columns), strict=True):
        work = space[: len(part)].copy_(part) if len(space) else part
        work.sub_(work.amax(-1, keepdim=True))
        right = right.clamp(min=0)
        picked = work.gather(1, right)
        total = work.exp_().sum(-1, keepdim=True)
        losses.append((total.log() - picked) * share)
        work.mul_(share / total).scatter_add_(1, right, -share)
        part.copy_(work)
    return torch.cat(losses).sum()


def token_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of (M, V) logits and (M,) right ids, computed in full precision.

    Positions whose id is `IGNORE` carry no loss; without any that does, the loss is NaN, as torch's is. On CPU, where
    a gradient is asked for, the logits' memory is taken for it: they are used up.
    """
    if not (logits.requires_grad and logits.device.type == "cpu" and bool((truth != IGNORE).any())):
        return cross_entropy(logits.float(), truth)
    loss: torch.Tensor = _TokenLoss.apply(logits, truth)  # type: ignore[no-untyped-call]
    return loss


def summed_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Sum of the cross-entropies of (M, V) logits and (M,) right ids, in full precision; on CPU a few rows at a time:
    nothing as large as the logits is made. Positions whose id is `IGNORE` count for nothing.
    """
    rows = max(1, CACHED // logits.shape[1]) if logits.device.type == "cpu" else max(1, len(logits))
    parts = zip(torch.split(logits, rows), torch.split(truth, rows), strict=True)
    return torch.stack([cross_entropy(part.float(), right, reduction="sum").double() for part, right in parts]).sum()
