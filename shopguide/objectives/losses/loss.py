"""What every loss of a classifier gives. A new one is one file with a subclass, and one YAML under `conf/loss/`.

Shapes: B labelled rows, C classes of a target.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass as checked_dataclass

from shopguide.config import STRICT

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Labelled:
    """What is known of the labelled rows of a target."""

    truth: "torch.Tensor"
    """(B,) class numbers."""
    counts: "torch.Tensor"
    """(C,) training examples of each class."""
    smoothing: float = 0.0
    """Share of the target distribution spread over all classes."""
    gains: "torch.Tensor | None" = None
    """(C,) what each class is worth, where the classes are grades."""
    lists: "torch.Tensor | None" = None
    """(B,) number of the list in which each row is ranked."""


@checked_dataclass(config=STRICT, kw_only=True)
class Loss(ABC):
    """How wrong a posterior is. Its options are checked before torch is imported."""

    graded: ClassVar[bool] = False
    """Whether it is of grades alone: `gains` are told."""
    listed: ClassVar[bool] = False
    """Whether it compares the rows of a list: a batch is of whole lists, and `lists` are told."""

    @abstractmethod
    def __call__(self, logits: "torch.Tensor", labelled: Labelled) -> "torch.Tensor":
        """Mean loss of (B, C) logits in full precision."""
