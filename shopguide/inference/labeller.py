"""Several labels a text, by torch, in full precision.

Shapes: N examples, C labels.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch

from shopguide.inference.answers import BATCH_TOKENS
from shopguide.inference.label_answers import LabelAnswerer
from shopguide.inference.network import Network
from shopguide.models.backbone import Head
from shopguide.models.unpadded import sequence_logits


class Labeller(Network, LabelAnswerer):
    """A sequence classifier whose outputs are labels, each given or not on its own."""

    head: ClassVar[Head] = "classification"

    def posterior(
        self, first: Sequence[str], second: Sequence[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> np.ndarray:
        """(N, C) probability of each label."""
        logits = self.states(sequence_logits, len(self.labels), first, second, batch_tokens)
        return torch.from_numpy(logits).sigmoid().numpy()
