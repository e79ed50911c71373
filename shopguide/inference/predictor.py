"""Classification by torch, in half precision where that does not change an answer.

Shapes: N examples, C classes of a target, K = ΣC outputs.
"""

from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from shopguide.inference.network import Network
from shopguide.inference.second_look import Decision, Sure, Texts, looked_twice
from shopguide.models.backbone import Head
from shopguide.models.posterior import posteriors
from shopguide.models.unpadded import Batch, sequence_logits
from shopguide.tasks.fusion import Fusion
from shopguide.tasks.lexical import Posteriors
from shopguide.text.examples import EncodedTexts


class Predictor(Network, Sure):
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

    def encoded(self, first: Texts, second: Texts | None) -> EncodedTexts:
        """The texts as the network reads them."""
        return EncodedTexts(self.tokenizer, first, second, self.card.max_length)

    def logits(self, model: nn.Module, batch: Batch) -> torch.Tensor:
        """(B, K) outputs of the task's classes, by the network or its copy."""
        return sequence_logits(model, batch)[:, self.card.offset : self.card.offset + sum(self.card.sizes)]

    def sure(
        self, first: Texts, second: Texts | None, batch_tokens: int, decide: Decision, again: bool = True
    ) -> Posteriors:
        """What `decide` makes of the network's posteriors; close calls of either are made again in full precision."""
        if not first:
            return {target: np.zeros((0, len(classes)), np.float32) for target, classes in self.card.targets.items()}
        encoded = self.encoded(first, second)
        half = self.worth_half(encoded)
        own = self._posteriors(encoded, np.arange(len(first)), batch_tokens, half)
        if not (half and again):
            return decide(own, first, second)
        return looked_twice(
            own, lambda rows: self._posteriors(encoded, rows, batch_tokens, half=False), decide, first, second
        )

    def _posteriors(self, encoded: EncodedTexts, chosen: np.ndarray, batch_tokens: int, half: bool) -> Posteriors:
        logits = np.empty((len(chosen), sum(self.card.sizes)), dtype=np.float32)
        for rows, part in self.outputs(self.logits, encoded, chosen, batch_tokens, half):
            logits[rows] = part.float().cpu().numpy()
        parts = posteriors(torch.from_numpy(logits), self.card.sizes)
        return {target: part.numpy() for target, part in zip(self.card.targets, parts, strict=True)}
