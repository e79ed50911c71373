"""Cross-entropy: −log P(y | x; θ)."""

from typing import TYPE_CHECKING

from pydantic.dataclasses import dataclass

from shopguide.config import STRICT
from shopguide.objectives.losses.loss import Labelled, Loss

if TYPE_CHECKING:
    import torch


@dataclass(config=STRICT, kw_only=True)
class CrossEntropy(Loss):
    """Every example counts the same."""

    def __call__(self, logits: "torch.Tensor", labelled: Labelled) -> "torch.Tensor":
        """Mean loss."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(logits, labelled.truth, label_smoothing=labelled.smoothing)
