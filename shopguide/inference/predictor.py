"""Inference by torch, in batches of like length.

Shapes: N examples, C classes of a target.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from shopguide.inference.answers import BATCH_TOKENS, Answerer
from shopguide.inference.card import Card
from shopguide.inference.saved_model import save_model
from shopguide.models.backbone import quietly
from shopguide.models.posterior import posteriors
from shopguide.models.unpadded import Batch, mean_states, sequence_logits
from shopguide.text.examples import Collate, EncodedTexts
from shopguide.text.plan import BatchPlan


class Predictor(Answerer):
    """A task model in torch."""

    def __init__(self, model: nn.Module, tokenizer: Any, card: Card, device: torch.device | str = "cpu") -> None:
        self.model = model.to(device).eval()
        self.tokenizer, self.card, self.device = tokenizer, card, torch.device(device)
        self._collate = Collate(tokenizer.pad_token_id)

    @classmethod
    def load(cls, folder: str | Path, device: str | None = None) -> "Predictor":
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
        return cls(model, AutoTokenizer.from_pretrained(folder), card, chosen)

    def save(self, folder: str | Path) -> None:
        """Write a Hugging Face folder that `load` reads."""
        save_model(Path(folder), self.model, self.tokenizer, self.card)

    def posterior(
        self, first: list[str], second: list[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> dict[str, np.ndarray]:
        """Target → (N, C) probabilities, rows as given."""
        rows = self._outputs(first, second, batch_tokens, lambda batch: sequence_logits(self.model, batch))
        sizes = [len(classes) for classes in self.card.targets.values()]
        parts = posteriors(torch.from_numpy(rows), sizes)
        return {target: part.numpy() for target, part in zip(self.card.targets, parts, strict=True)}

    def embed(
        self, first: list[str], second: list[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> np.ndarray:
        """(N, D) the backbone's states, averaged over the tokens of each text."""
        return self._outputs(first, second, batch_tokens, lambda batch: mean_states(self.model, batch))

    @torch.inference_mode()
    def _outputs(
        self,
        first: list[str],
        second: list[str] | None,
        batch_tokens: int,
        function: Callable[[Batch], torch.Tensor],
    ) -> np.ndarray:
        if not first:
            width = sum(len(classes) for classes in self.card.targets.values())
            return np.zeros((0, width), dtype=np.float32)
        encoded = EncodedTexts(self.tokenizer, first, second, self.card.max_length)
        out: np.ndarray | None = None
        for rows in BatchPlan(encoded.lengths, len(first), batch_tokens, shuffle=False).of_epoch(0):
            batch = self._collate([encoded[(0, int(row))] for row in rows])
            batch = {k: v.to(self.device) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}
            values = function(batch).float().cpu().numpy()
            if out is None:
                out = np.empty((len(first), values.shape[1]), dtype=np.float32)
            out[rows] = values
        assert out is not None
        return out
