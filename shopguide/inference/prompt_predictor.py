"""Classification through the masked-LM head of a model, by torch.

Shapes: N examples, C classes.
"""

from typing import ClassVar

import numpy as np
import torch

from shopguide.inference.answers import BATCH_TOKENS
from shopguide.inference.predictor import Predictor
from shopguide.models.backbone import Head
from shopguide.objectives.prompting import word_logits
from shopguide.tasks.lexical import Posteriors
from shopguide.text.examples import EncodedTexts
from shopguide.text.prompt import Prompt


class PromptPredictor(Predictor):
    """A masked LM, asked for the word that fits; in full precision."""

    head: ClassVar[Head] = "masked_lm"

    @property
    def prompt(self) -> Prompt:
        """That of the card."""
        return Prompt.from_plain(self.card.prompt or {})

    @torch.inference_mode()
    def network_posterior(
        self, first: list[str], second: list[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> Posteriors:
        """The one target → (N, C) probabilities, rows as given."""
        ((target, classes),) = self.card.targets.items()
        out = np.zeros((len(first), len(classes)), dtype=np.float32)
        if first:
            words = self.prompt.word_ids(self.tokenizer, classes)
            texts = self.prompt.asked(self.tokenizer, first)
            encoded = EncodedTexts(self.tokenizer, texts, second, self.card.max_length)
            for rows, batch in self.batches(encoded, np.arange(len(first)), batch_tokens):
                logits = word_logits(self.model, batch, self.tokenizer.mask_token_id, words)
                out[rows] = logits.float().softmax(-1).cpu().numpy()
        return {target: out}
