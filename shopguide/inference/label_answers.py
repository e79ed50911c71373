"""What a model of several labels tells, whatever computes it.

Shapes: N examples, C labels.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np

from shopguide.config import THRESHOLD
from shopguide.inference.answers import BATCH_TOKENS, Answer, Answerer, told


class LabelAnswerer(Answerer):
    """Each label is given or not on its own."""

    @property
    def labels(self) -> list[str]:
        """Those of the card."""
        (labels,) = self.card.targets.values()
        return labels

    @abstractmethod
    def posterior(
        self, first: Sequence[str], second: Sequence[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> np.ndarray:
        """(N, C) probability of each label."""

    def answers(self, first: Sequence[str], second: Sequence[str] | None, *, batch_tokens: int) -> Iterator[Answer]:
        """`labels` (perhaps none) and `posterior`, both from the most probable one on."""
        for row in self.posterior(first, second, batch_tokens=batch_tokens):
            order = np.argsort(-row, kind="stable")
            given = [self.labels[i] for i in order if row[i] >= THRESHOLD]
            yield {"labels": given, "posterior": {self.labels[i]: told(row[i]) for i in order}}
