"""Classification through the masked-LM head of a model, by torch."""

from functools import cached_property
from typing import ClassVar

import torch
from torch import nn

from shopguide.inference.predictor import Predictor
from shopguide.inference.second_look import Texts
from shopguide.models.backbone import Head
from shopguide.models.unpadded import Batch
from shopguide.objectives.prompting import word_logits
from shopguide.text.examples import EncodedTexts
from shopguide.text.prompt import Prompt


class PromptPredictor(Predictor):
    """A masked LM, asked for the word that fits."""

    head: ClassVar[Head] = "masked_lm"

    @cached_property
    def prompt(self) -> Prompt:
        """That of the card."""
        return Prompt.from_plain(self.card.prompt or {})

    @cached_property
    def words(self) -> list[int]:
        """(C,) the token of each class."""
        (classes,) = self.card.targets.values()
        return self.prompt.word_ids(self.tokenizer, classes)

    def encoded(self, first: Texts, second: Texts | None) -> EncodedTexts:
        """With the template around each text."""
        return super().encoded(self.prompt.asked(self.tokenizer, first), second)

    def logits(self, model: nn.Module, batch: Batch) -> torch.Tensor:
        """(B, C) outputs of the classes' words."""
        return word_logits(model, batch, self.tokenizer.mask_token_id, self.words)
