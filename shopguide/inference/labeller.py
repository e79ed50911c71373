"""Several labels a text, by torch, in full precision.

Shapes: N examples, C labels.
"""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import torch

from shopguide.inference.answers import BATCH_TOKENS, Answer, Answerer, told
from shopguide.inference.network import Network
from shopguide.models.backbone import Head
from shopguide.models.unpadded import sequence_logits
from shopguide.objectives.multilabel import THRESHOLD
from shopguide.text.examples import EncodedTexts


class Labeller(Network, Answerer):
    """A sequence classifier whose outputs are labels, each given or not on its own."""

    head: ClassVar[Head] = "classification"

    @property
    def labels(self) -> list[str]:
        """Those of the card."""
        (labels,) = self.card.targets.values()
        return labels

    @torch.inference_mode()
    def posterior(
        self, first: list[str], second: list[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> np.ndarray:
        """(N, C) probability of each label."""
        out = np.zeros((len(first), len(self.labels)), dtype=np.float32)
        if first:
            encoded = EncodedTexts(self.tokenizer, first, second, self.card.max_length)
            for rows, batch in self.batches(encoded, np.arange(len(first)), batch_tokens):
                out[rows] = sequence_logits(self.model, batch).float().sigmoid().cpu().numpy()
        return out

    def answers(self, first: list[str], second: list[str] | None, *, batch_tokens: int) -> Iterator[Answer]:
        """`labels` (perhaps none) and `posterior`, both from the most probable one on."""
        for row in self.posterior(first, second, batch_tokens=batch_tokens):
            order = np.argsort(-row, kind="stable")
            given = [self.labels[i] for i in order if row[i] >= THRESHOLD]
            yield {"labels": given, "posterior": {self.labels[i]: told(row[i]) for i in order}}
