"""Fine-tuning through the masked-LM head: P(y | x; θ) ∝ P([MASK] = word(y) | x; θ), the class is the word that fits.

Pattern and verbalizer of Schick and Schütze 2021 (PET, arXiv:2001.07676): with few labelled texts the head that was
pretrained knows more than a new one. Shapes: B batch, C classes, V vocabulary.
"""

from collections.abc import Sequence

import torch
from torch import nn

from shopguide.config import OptimizerConfig
from shopguide.models.unpadded import Batch, logits_at
from shopguide.objectives.classification import Classification
from shopguide.objectives.losses.loss import Loss


class Prompting(Classification):
    """A classifier of one target whose outputs are words.

    Args:
        model: transformers model with a masked-LM head.
        optimizer: settings of AdamW.
        counts: how many training examples each class has.
        mask_id: of the mask token.
        words: (C,) the token of each class.
        loss: as `Classification`.
        label_smoothing: as `Classification`.
        r_drop: as `Classification`.
        gains: what each class is worth, where they are grades.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: OptimizerConfig,
        counts: Sequence[int],
        mask_id: int,
        words: Sequence[int],
        loss: Loss | None = None,
        label_smoothing: float = 0.0,
        r_drop: float = 0.0,
        gains: Sequence[float] | None = None,
    ) -> None:
        super().__init__(model, optimizer, [counts], loss, label_smoothing, r_drop, [gains])
        self.mask_id = mask_id
        self.register_buffer("words", torch.tensor(words), persistent=False)

    def outputs(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, C) outputs and (B, 1) class numbers."""
        words: torch.Tensor = self.words  # type: ignore[assignment]
        return word_logits(self.model, batch, self.mask_id, words), batch["targets"]


def word_logits(model: nn.Module, batch: Batch, mask_id: int, words: Sequence[int] | torch.Tensor) -> torch.Tensor:
    """(B, C) outputs of the classes' words at the first mask of each text; on a GPU their numbers are waited for where
    they are not there.
    """
    ids: torch.Tensor = batch["input_ids"]
    first = (ids == mask_id).to(torch.uint8).argmax(1)
    places = torch.arange(len(ids), device=ids.device) * ids.shape[1] + first
    return logits_at(model, batch, places)[:, torch.as_tensor(words, device=ids.device)]
