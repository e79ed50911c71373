"""Regression on the expected gain: (Σ_c P(c | x) · gain(c) − gain)², beside cross-entropy, so that one posterior tells
the grade and its worth. Gains are scaled to 0 … 1.
"""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from shopguide.config import STRICT
from shopguide.objectives.losses.gains import expected
from shopguide.objectives.losses.loss import Labelled, Loss

if TYPE_CHECKING:
    import torch


@dataclass(config=STRICT, kw_only=True)
class Regression(Loss):
    """Squared error."""

    graded: ClassVar[bool] = True
    posterior: float = Field(default=0.1, ge=0)
    """Weight of the cross-entropy; 0: the posterior says no more than its expected gain."""

    def __call__(self, logits: "torch.Tensor", labelled: Labelled) -> "torch.Tensor":
        """Mean loss."""
        from torch.nn.functional import cross_entropy, mse_loss

        likelihood = cross_entropy(logits, labelled.truth, label_smoothing=labelled.smoothing)
        return mse_loss(*expected(logits, labelled)) + self.posterior * likelihood
