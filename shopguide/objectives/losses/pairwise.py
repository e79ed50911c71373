"""Pairwise loss of a list: log(1 + e^(−(s_i − s_j)/τ)) for each two products of which i is worth more (RankNet; Burges
et al. 2005), s the expected gain scaled to 0 … 1; beside cross-entropy, so that one posterior grades and ranks.

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
class Pairwise(Loss):
    """A mean over the pairs of all lists."""

    graded: ClassVar[bool] = True
    listed: ClassVar[bool] = True
    temperature: float = Field(default=0.2, gt=0)
    """τ: what difference of expected gains counts as clear."""
    posterior: float = Field(default=1.0, ge=0)
    """Weight of the cross-entropy."""

    def __call__(self, logits: "torch.Tensor", labelled: Labelled) -> "torch.Tensor":
        """Mean loss."""
        from torch.nn.functional import cross_entropy, softplus

        assert labelled.lists is not None
        scores, gains = expected(logits, labelled)
        rows, there = by_list(labelled.lists)
        own, worth = scores[rows], gains[rows]
        pairs = (worth[:, :, None] > worth[:, None]) & there[:, :, None] & there[:, None]
        margins = (own[:, :, None] - own[:, None])[pairs] / self.temperature
        ranked = softplus(-margins).sum() / max(1, len(margins))
        likelihood = cross_entropy(logits, labelled.truth, label_smoothing=labelled.smoothing)
        return ranked + self.posterior * likelihood
