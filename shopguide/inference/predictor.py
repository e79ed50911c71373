"""Classification by torch, in half precision where that does not change an answer.

Shapes: N examples, C classes of a target, K = ΣC outputs.
"""

from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from shopguide.inference.answers import BATCH_TOKENS, Classifier
from shopguide.inference.network import Network
from shopguide.models.backbone import Head
from shopguide.models.posterior import posteriors
from shopguide.models.unpadded import sequence_logits
from shopguide.tasks.fusion import Fusion
from shopguide.tasks.lexical import Posteriors
from shopguide.text.examples import EncodedTexts

CLOSE = 0.02
"""Two classes whose probabilities are less than this apart may change places in half precision."""


class Predictor(Network, Classifier):
    """A sequence classifier: texts whose two most probable classes are closer than `CLOSE` in half precision are
    answered again in full precision.
    """

    head: ClassVar[Head] = "classification"

    def load_more(self, folder: Path) -> None:
        """The task's lexical branch, if it has one."""
        self.fusion = Fusion.load(folder / self.card.task)

    def save(self, folder: str | Path) -> None:
        """Write a Hugging Face folder that `load` reads."""
        super().save(folder)
        self.save_fusion(Path(folder))

    def save_fusion(self, folder: Path) -> None:
        """Write the lexical branch, if there is one, into a folder named after the task."""
        if self.fusion is not None:
            self.fusion.save(folder / self.card.task)

    def network_posterior(
        self, first: list[str], second: list[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> Posteriors:
        """Target → (N, C) probabilities, rows as given."""
        if not first:
            return {target: np.zeros((0, len(classes)), np.float32) for target, classes in self.card.targets.items()}
        encoded = EncodedTexts(self.tokenizer, first, second, self.card.max_length)
        half = self.worth_half(encoded)
        parts = self._posteriors(encoded, np.arange(len(first)), batch_tokens, half)
        told = [*parts, *self.decided(self._named(parts), first, second).values()] if half else []
        close = np.flatnonzero(np.any([_close(part) for part in told], axis=0)) if half else ()
        if len(close):
            chosen = np.asarray(close)
            for part, exact in zip(parts, self._posteriors(encoded, chosen, batch_tokens, False), strict=True):
                part[close] = exact
        return self._named(parts)

    def _named(self, parts: list[np.ndarray]) -> Posteriors:
        return dict(zip(self.card.targets, parts, strict=True))

    @torch.inference_mode()
    def _posteriors(self, encoded: EncodedTexts, chosen: np.ndarray, batch_tokens: int, half: bool) -> list[np.ndarray]:
        sizes = self.card.sizes
        own = slice(self.card.offset, self.card.offset + sum(sizes))
        logits = np.empty((len(chosen), sum(sizes)), dtype=np.float32)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):  # one for all: weights are cast once
            for rows, batch in self.batches(encoded, chosen, batch_tokens):
                logits[rows] = sequence_logits(self.model, batch)[:, own].float().cpu().numpy()
        return [part.numpy() for part in posteriors(torch.from_numpy(logits), sizes)]


def _close(posterior: np.ndarray) -> np.ndarray:
    """(N, C) → (N,) bool: whether the second class may be the first in truth."""
    if posterior.shape[1] < 2:
        return np.zeros(len(posterior), dtype=bool)
    top = -np.partition(-posterior, 1, axis=1)[:, :2]
    close: np.ndarray = top[:, 0] - top[:, 1] < CLOSE
    return close
