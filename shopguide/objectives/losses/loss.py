"""What every loss of a classifier gives. A new one is one file with a subclass, and one YAML under `conf/loss/`.

Shapes: B labelled rows, C classes of a target.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from pydantic.dataclasses import dataclass

from shopguide.config import STRICT

if TYPE_CHECKING:
    import torch


@dataclass(config=STRICT, kw_only=True)
class Loss(ABC):
    """How wrong a posterior is. Its options are checked before torch is imported."""

    @abstractmethod
    def __call__(
        self, logits: "torch.Tensor", truth: "torch.Tensor", counts: "torch.Tensor", smoothing: float
    ) -> "torch.Tensor":
        """Mean loss.

        Args:
            logits: (B, C) in full precision.
            truth: (B,) class numbers.
            counts: (C,) training examples of each class.
            smoothing: share of the target distribution spread over all classes.
        """
