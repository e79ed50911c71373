"""Inference by torch, in batches of like length, and in half precision where that does not change an answer.

Shapes: N examples, C classes of a target.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from shopguide.config import InferencePrecision
from shopguide.inference.answers import BATCH_TOKENS, Answerer
from shopguide.inference.card import Card
from shopguide.inference.saved_model import save_model
from shopguide.models.backbone import quietly
from shopguide.models.posterior import posteriors
from shopguide.models.precision import good_at_bf16
from shopguide.models.unpadded import Batch, mean_states, sequence_logits
from shopguide.text.examples import Collate, EncodedTexts
from shopguide.text.plan import BatchPlan

CLOSE = 0.02
"""Two classes whose probabilities are less than this apart may change places in half precision."""
MANY = 2048
"""Tokens from which half precision pays: its matrix products are compiled for their shapes."""


class Predictor(Answerer):
    """A task model in torch.

    Args:
        model: a sequence classifier.
        tokenizer: its tokenizer.
        card: what it answers.
        device: where it runs.
        precision: `32`; or `auto`: bfloat16 where the device has it in hardware and there is much to do. Texts of which
            the two most probable classes are closer than `CLOSE` are then answered again in full precision.
    """

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Any,
        card: Card,
        device: torch.device | str = "cpu",
        precision: InferencePrecision = "auto",
    ) -> None:
        self.model = model.to(device).eval()
        self.tokenizer, self.card, self.device = tokenizer, card, torch.device(device)
        self._half = precision == "auto" and good_at_bf16(self.device.type)
        self._collate = Collate(tokenizer.pad_token_id)

    @classmethod
    def load(cls, folder: str | Path, device: str | None = None, precision: InferencePrecision = "auto") -> "Predictor":
        """Load a folder that fine-tuning saved.

        Raises:
            ModelError: it is not such a folder.
        """
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        folder = Path(folder)
        card = Card.read(folder)
        with quietly():
            model = AutoModelForSequenceClassification.from_pretrained(folder)
        chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
        return cls(model, AutoTokenizer.from_pretrained(folder), card, chosen, precision)

    def save(self, folder: str | Path) -> None:
        """Write a Hugging Face folder that `load` reads."""
        save_model(Path(folder), self.model, self.tokenizer, self.card)

    def posterior(
        self, first: list[str], second: list[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> dict[str, np.ndarray]:
        """Target → (N, C) probabilities, rows as given."""
        if not first:
            return {target: np.zeros((0, len(classes)), np.float32) for target, classes in self.card.targets.items()}
        encoded = EncodedTexts(self.tokenizer, first, second, self.card.max_length)
        half = self._half and int(encoded.lengths.sum()) >= MANY
        parts = self._posteriors(encoded, np.arange(len(first)), batch_tokens, half)
        close = np.flatnonzero(np.any([_close(part) for part in parts], axis=0)) if half else np.arange(0)
        if len(close):
            for part, exact in zip(parts, self._posteriors(encoded, close, batch_tokens, False), strict=True):
                part[close] = exact
        return dict(zip(self.card.targets, parts, strict=True))

    def _posteriors(self, encoded: EncodedTexts, chosen: np.ndarray, batch_tokens: int, half: bool) -> list[np.ndarray]:
        logits = self._outputs(encoded, chosen, batch_tokens, half, lambda batch: sequence_logits(self.model, batch))
        sizes = [len(classes) for classes in self.card.targets.values()]
        return [part.numpy() for part in posteriors(torch.from_numpy(logits), sizes)]

    def embed(
        self, first: list[str], second: list[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> np.ndarray:
        """(N, D) the backbone's states, averaged over the tokens of each text, in full precision."""
        if not first:
            config: Any = self.model.config
            return np.zeros((0, config.hidden_size), dtype=np.float32)
        encoded, chosen = EncodedTexts(self.tokenizer, first, second, self.card.max_length), np.arange(len(first))
        return self._outputs(encoded, chosen, batch_tokens, False, lambda batch: mean_states(self.model, batch))

    @torch.inference_mode()
    def _outputs(
        self,
        encoded: EncodedTexts,
        chosen: np.ndarray,
        batch_tokens: int,
        half: bool,
        function: Callable[[Batch], torch.Tensor],
    ) -> np.ndarray:
        """(len(chosen), …) what a function of a batch gives for each of the chosen examples, one or more."""
        out: np.ndarray | None = None
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):  # one for all: weights are cast once
            for rows in BatchPlan(encoded.lengths[chosen], len(chosen), batch_tokens, shuffle=False).of_epoch(0):
                batch = self._collate([encoded[(0, int(row))] for row in chosen[rows]])
                batch = {k: v.to(self.device) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}
                values = function(batch).float().cpu().numpy()
                if out is None:
                    out = np.empty((len(chosen), values.shape[1]), dtype=np.float32)
                out[rows] = values
        assert out is not None
        return out


def _close(posterior: np.ndarray) -> np.ndarray:
    """(N, C) → (N,) bool: whether the second class may be the first in truth."""
    if posterior.shape[1] < 2:
        return np.zeros(len(posterior), dtype=bool)
    top = -np.partition(-posterior, 1, axis=1)[:, :2]
    close: np.ndarray = top[:, 0] - top[:, 1] < CLOSE
    return close
