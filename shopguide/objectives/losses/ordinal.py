"""Ordinal loss: cross-entropy of each question "is it worth more than …?", so that a far grade is a worse mistake.

−Σ_k log P(the right side of threshold k) over the C − 1 thresholds between grades in the order of their gains, both
sides summed from one posterior (the thresholds of Frank & Hall 2001, "A simple approach to ordinal classification"; a
sum of log scores, hence lowest at the true posterior). Shapes: B labelled rows, C grades.
"""

from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from shopguide.config import STRICT
from shopguide.objectives.losses.loss import Labelled, Loss

if TYPE_CHECKING:
    import torch


@dataclass(config=STRICT, kw_only=True)
class Ordinal(Loss):
    """A mean over the thresholds."""

    graded: ClassVar[bool] = True

    def __call__(self, logits: "torch.Tensor", labelled: Labelled) -> "torch.Tensor":
        """Mean loss."""
        import torch

        assert labelled.gains is not None
        order = labelled.gains.argsort(stable=True)
        rank = order.argsort()[labelled.truth]
        logs = logits.log_softmax(-1)[:, order]
        below = logs.logcumsumexp(1)[:, :-1]
        above = logs.flip(1).logcumsumexp(1).flip(1)[:, 1:]
        thresholds = torch.arange(below.shape[1], device=logs.device)
        return -torch.where(rank[:, None] <= thresholds[None], below, above).mean()
