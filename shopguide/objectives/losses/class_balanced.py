"""Class-balanced cross-entropy: rare classes count more, by the effective number of their examples.

A class of n examples is worth E = (1 − βⁿ) / (1 − β) of them, since examples of a class resemble each other; the weight
of its examples is proportional to 1 / E (Cui et al. 2019, "Class-balanced loss based on effective number of samples").
"""

from typing import TYPE_CHECKING

from pydantic import Field
from pydantic.dataclasses import dataclass

from shopguide.config import STRICT
from shopguide.objectives.losses.loss import Labelled, Loss

if TYPE_CHECKING:
    import torch


@dataclass(config=STRICT, kw_only=True)
class ClassBalanced(Loss):
    """Weights add up to the number of classes that have examples."""

    beta: float = Field(default=0.999, ge=0, lt=1)
    """0: every example counts the same; near 1: every class counts the same."""

    def __call__(self, logits: "torch.Tensor", labelled: Labelled) -> "torch.Tensor":
        """Mean loss, weighted as torch's cross-entropy weights."""
        from torch.nn.functional import cross_entropy

        weights = self.weights(labelled.counts).to(logits)
        return cross_entropy(logits, labelled.truth, weight=weights, label_smoothing=labelled.smoothing)

    def weights(self, counts: "torch.Tensor") -> "torch.Tensor":
        """(C,) numbers of examples → (C,) weights; 0 for a class without examples."""
        weights = (1 - self.beta) / (1 - self.beta ** counts.double().clamp(min=1))
        weights[counts == 0] = 0
        return weights * (counts > 0).sum() / weights.sum()
