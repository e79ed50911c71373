"""Focal loss: −(1 − p)^γ log p of the right class, so that what is known already counts less (Lin et al. 2017)."""

from typing import TYPE_CHECKING

from pydantic import Field
from pydantic.dataclasses import dataclass

from shopguide.config import STRICT
from shopguide.objectives.losses.loss import Labelled, Loss

if TYPE_CHECKING:
    import torch

TINY = 1e-7
"""Below, a power of 1 − p has no gradient in single precision where γ < 1."""


@dataclass(config=STRICT, kw_only=True)
class Focal(Loss):
    """Cross-entropy where γ is 0."""

    gamma: float = Field(default=2.0, ge=0)

    def __call__(self, logits: "torch.Tensor", labelled: Labelled) -> "torch.Tensor":
        """Mean loss; with smoothing, of the smoothed cross-entropy."""
        from torch.nn.functional import cross_entropy

        right = logits.softmax(-1).gather(1, labelled.truth[:, None]).squeeze(1)
        losses = cross_entropy(logits, labelled.truth, label_smoothing=labelled.smoothing, reduction="none")
        return ((1 - right).clamp(min=TINY) ** self.gamma * losses).mean()
