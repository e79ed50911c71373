"""Listwise loss: cross-entropy between the shares of a list's products by worth and by score, softmax(gain/τ) and
softmax(s/τ) (ListNet, top one; Cao et al. 2007), s the expected gain, both scaled to 0 … 1; beside cross-entropy of the
grades, so that one posterior grades and ranks.

Shapes: B labelled rows, C grades, L lists, n rows of the longest list.
"""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from shopguide.config import STRICT
from shopguide.objectives.losses.gains import by_list, expected
from shopguide.objectives.losses.loss import Labelled, Loss

if TYPE_CHECKING:
    import torch


@dataclass(config=STRICT, kw_only=True)
class Listwise(Loss):
    """A mean over the lists."""

    graded: ClassVar[bool] = True
    listed: ClassVar[bool] = True
    temperature: float = Field(default=0.2, gt=0)
    """τ: small ones let the best products of a list count alone."""
    posterior: float = Field(default=1.0, ge=0)
    """Weight of the cross-entropy of the grades."""

    def __call__(self, logits: "torch.Tensor", labelled: Labelled) -> "torch.Tensor":
        """Mean loss."""
        from torch.nn.functional import cross_entropy

        assert labelled.lists is not None
        scores, gains = expected(logits, labelled)
        rows, there = by_list(labelled.lists)
        said, wanted = (
            (values[rows] / self.temperature).masked_fill(~there, float("-inf")) for values in (scores, gains)
        )
        logs = said.log_softmax(1).masked_fill(~there, 0.0)
        ranked = -(wanted.softmax(1) * logs).sum(1).mean()
        likelihood = cross_entropy(logits, labelled.truth, label_smoothing=labelled.smoothing)
        return ranked + self.posterior * likelihood
