"""Dropout whose random numbers are cheap on CPU: four decisions from one 64-bit draw.

A transformer in training decides on thousands of activations a token, and torch draws them one by one. The draws follow
torch's seed, as those of `torch.nn.Dropout` do, but they are other draws.

Source: Srivastava et al. 2014. The share is rounded to a multiple of 1 / 65,536.
"""

from typing import Any

import numpy as np
import torch
from torch import nn

LEVELS = 1 << 16


def draw_kept(count: int, share: float) -> torch.Tensor:
    """(count,) bool on the CPU: true where a value is kept."""
    source = np.random.SFC64(int(torch.randint(1 << 62, (1,))))
    draws = np.asarray(source.random_raw(-(-count // 4))).view(np.int16)[:count]
    return torch.from_numpy(draws) >= round(share * LEVELS) - LEVELS // 2


class _Dropout(torch.autograd.Function):
    """values · kept / (1 − share), remembering a byte a value."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, kept: torch.Tensor, share: float) -> torch.Tensor:
        ctx.save_for_backward(kept)
        ctx.scale = 1 / (1 - share)
        return torch.where(kept, values, 0.0).mul_(ctx.scale)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (kept,) = ctx.saved_tensors
        return torch.where(kept, gradients[0], 0.0).mul_(ctx.scale), None, None


def dropout(values: torch.Tensor, share: float) -> torch.Tensor:
    """Set a share of the values to zero and scale the others by 1 / (1 − share).

    Args:
        values: any shape, on the CPU.
        share: of values dropped, below 1.
    """
    kept = draw_kept(values.numel(), share)
    out: torch.Tensor = _Dropout.apply(values, kept.view(values.shape), share)  # type: ignore[no-untyped-call]
    return out


class CheapDropout(nn.Dropout):
    """`torch.nn.Dropout` with cheap draws on CPU; elsewhere it is the same."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Any shape → the same shape."""
        if not self.training or self.p == 0 or values.device.type != "cpu":
            return super().forward(values)
        return dropout(values, self.p)


def cheapen(model: nn.Module) -> None:
    """Give every dropout layer of a model cheap draws, in place; weights and names stay as they are."""
    for module in model.modules():
        if type(module) is nn.Dropout:
            module.__class__ = CheapDropout
