"""Hard negatives for retrieval: products that the model itself, as it is by now, takes for those that fit.

They are looked for anew before each epoch (ANCE: Xiong et al. 2021), but for the first one, which has those that share
its words. Shapes: Q queries, N texts, D width, P of the pool.
"""

from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import nn
from torch.nn.functional import normalize

from shopguide.models.item_vectors import item_vectors
from shopguide.models.unpadded import mean_states
from shopguide.objectives.nearest import nearest
from shopguide.text.examples import Collate, EncodedTexts
from shopguide.text.pairs import QueryPairs
from shopguide.text.plan import BatchPlan

POOL = 50
TOKENS = 4096
"""That the model sees at once."""


class Mining(Callback):
    """Fills the pools of the training pairs.

    Args:
        pairs: that are learnt.
        pad_id: of the tokenizer.
        first: (Q, ≥ P) products for the first epoch, the most alike first.
    """

    def __init__(self, pairs: QueryPairs, pad_id: int, first: np.ndarray) -> None:
        self.pairs, self.collate = pairs, Collate(pad_id)
        pairs.fill(first)

    def state_dict(self) -> dict[str, Any]:
        """Those of the epoch, for the checkpoint: the model that found them is no more."""
        assert self.pairs.pool is not None
        return {"pool": torch.from_numpy(self.pairs.pool.astype(np.int32))}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """From the checkpoint."""
        self.pairs.take(state["pool"].numpy())

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Look for them with the model as it is."""
        if trainer.current_epoch == 0:
            return
        model: nn.Module = module.model  # type: ignore[assignment]
        training = model.training
        model.eval()
        products, queries = (self._vectors(model, texts) for texts in (self.pairs.products, self.pairs.queries))
        if (own := item_vectors(model)) is not None:
            with torch.no_grad():
                products = own(products, torch.arange(len(products), device=products.device))
        model.train(training)
        self.pairs.fill(nearest(queries, products, POOL).cpu().numpy())

    @torch.no_grad()
    def _vectors(self, model: nn.Module, texts: EncodedTexts) -> torch.Tensor:
        """(N, D) of unit length."""
        device = next(model.parameters()).device
        found: torch.Tensor | None = None
        for rows in BatchPlan(texts.lengths, len(texts), TOKENS, shuffle=False).of_epoch(0):
            batch = self.collate([texts[(0, int(row))] for row in rows])
            batch = {name: part.to(device) if isinstance(part, torch.Tensor) else part for name, part in batch.items()}
            part = normalize(mean_states(model, batch), dim=-1)
            found = part.new_zeros(len(texts), part.shape[1]) if found is None else found
            found[torch.from_numpy(rows).to(device)] = part
        assert found is not None
        return found
