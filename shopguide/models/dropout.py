"""Dropout whose random numbers are cheap on CPU: four decisions from one 64-bit draw.

A transformer in training decides on thousands of activations a token, and torch draws them one by one. The draws follow
torch's seed, as those of `torch.nn.Dropout` do, but they are other draws. Nor are values chosen by them one by one, as
`torch.where` does on CPU, but by arithmetic, which a processor does to a vector at once: the choosing alone takes a
fifth of the time. (So what is no number stays none, as in `torch.nn.Dropout`.)

Source: Srivastava et al. 2014. The share is rounded to a multiple of 1 / 32,768.
"""

from typing import Any

import numpy as np
import torch
from torch import nn

LEVELS = 1 << 15


def draw_signs(count: int, share: float) -> torch.Tensor:
    """(count,) bfloat16 on the CPU, of which the sign alone tells something: negative where a value is dropped."""
    source = np.random.SFC64(int(torch.randint(1 << 62, (1,))))
    draws = torch.from_numpy(np.asarray(source.random_raw(-(-count // 4))).view(np.int16)[:count])
    levels = draws.bitwise_right_shift_(1).sub_(round(share * LEVELS) - LEVELS // 2)
    return levels.view(torch.bfloat16)


class _Dropout(torch.autograd.Function):
    """values · kept / (1 − share), remembering two bytes a value."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, signs: torch.Tensor, share: float) -> torch.Tensor:
        kept = torch.copysign(signs.new_ones(()), signs).clamp_min_(0)
        ctx.save_for_backward(kept)
        ctx.scale = 1 / (1 - share)
        return _dropped(values, kept, ctx.scale)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (kept,) = ctx.saved_tensors
        return _dropped(gradients[0], kept, ctx.scale), None, None


def _dropped(values: torch.Tensor, kept: torch.Tensor, scale: float) -> torch.Tensor:
    return (values * kept.to(values.dtype)).mul_(scale)


def dropout(values: torch.Tensor, share: float) -> torch.Tensor:
    """Set a share of the values to zero and scale the others by 1 / (1 − share).

    Args:
        values: any shape, on the CPU.
        share: of values dropped, below 1.
    """
    signs = draw_signs(values.numel(), share)
    out: torch.Tensor = _Dropout.apply(values, signs.view(values.shape), share)  # type: ignore[no-untyped-call]
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
