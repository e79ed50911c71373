"""Tagging and extraction by torch.

Shapes: W words of a text, K tags.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from shopguide.inference import second_look
from shopguide.inference.answers import BATCH_TOKENS
from shopguide.inference.network import Network
from shopguide.inference.span_answers import SpanAnswerer
from shopguide.models.backbone import Head
from shopguide.models.unpadded import Batch
from shopguide.objectives.labelled import labelled_logits
from shopguide.text.masking import IGNORE
from shopguide.text.tagged import TaggedTexts


class Tagger(Network, SpanAnswerer):
    """A token classifier: texts with a word whose two most probable tags are closer than `CLOSE` in half precision are
    answered again in full precision.
    """

    head: ClassVar[Head] = "tagging"

    def word_posteriors(
        self, first: Sequence[str], second: Sequence[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Of one text or more: (W, 2) character ranges, and (W, K) posteriors of the tags."""
        encoded = TaggedTexts(self.tokenizer, first, second, self.card.max_length, self.tags)
        half = self.worth_half(encoded)
        posteriors = self._posteriors(encoded, np.arange(len(first)), batch_tokens, half)
        calls = enumerate(map(second_look.distances, posteriors)) if half else ()
        close = np.array([row for row, apart in calls if (apart < second_look.CLOSE).any()], dtype=np.int64)
        if len(close):
            exact = self._posteriors(encoded, close, batch_tokens, False)
            for row, part in zip(close, exact, strict=True):
                posteriors[row] = part
        return encoded.words, posteriors

    def _posteriors(self, encoded: TaggedTexts, chosen: np.ndarray, batch_tokens: int, half: bool) -> list[np.ndarray]:
        """(W, K) of each of the chosen texts."""
        out: list[np.ndarray] = [np.zeros((0, len(self.tags)), dtype=np.float32)] * len(chosen)
        for rows, logits in self.outputs(_word_logits, encoded, chosen, batch_tokens, half):
            posterior = logits.float().softmax(-1).cpu().numpy()
            counts = [len(encoded.words[chosen[row]]) for row in rows]
            for row, part in zip(rows, np.split(posterior, np.cumsum(counts)[:-1]), strict=True):
                out[row] = part
        return out


def _word_logits(model: nn.Module, batch: Batch) -> torch.Tensor:
    """(Σ W, K) of the batch's words, text by text."""
    logits, mark = labelled_logits(model, batch, batch["labels"])
    return logits[mark != IGNORE]
