"""Retrieval: a query lies near its products, far from the other products of its batch.

L = −(1/B) Σᵢ log exp(qᵢ·pᵢ/τ) / Σⱼ exp(qᵢ·pⱼ/τ) over unit vectors, the means of the last states (in-batch negatives:
Henderson et al. 2017; InfoNCE: van den Oord et al. 2018). A product that is known to fit query i, too, is no negative
of it; hard negatives, where there are any, are products more. With `cached`, inner states are held for a few texts at a
time and computed again on the way back, which gives the same gradient (GradCache: Gao et al. 2021), so that B is not
bounded by memory. With `dimensions`, the loss is a mean over the whole vectors and their first dimensions, each made
unit vectors of their own (Matryoshka representations: Kusupati et al. 2022). A teacher that grades pairs adds
KL(softmax(g/τ) ‖ softmax(c/τ)) over each product and its hard negatives, of its grades g in [0, 1] and the cosines c
(distillation from a cross-encoder: Qu et al. 2021; Ren et al. 2021).

Shapes: B pairs, H hard negatives of each, D width.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from pytorch_lightning.callbacks import Callback
from torch import nn
from torch.nn.functional import cross_entropy, kl_div, normalize
from torch.utils.checkpoint import checkpoint

from shopguide.config import OptimizerConfig
from shopguide.models.item_vectors import item_vectors
from shopguide.models.unpadded import Batch, mean_states
from shopguide.objectives.labelled import pinned
from shopguide.objectives.mining import Mining
from shopguide.objectives.nearest import nearest
from shopguide.objectives.objective import Objective

CUT = 10
Teacher = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(N,) numbers of queries and of products → (N,) grades in [0, 1]."""


class Matching(Objective):
    """A bi-encoder: one network for queries and products.

    Args:
        model: transformers encoder.
        optimizer: settings of AdamW.
        temperature: τ.
        cached: texts whose inner states are held at a time; None: those of the batch.
        mining: what looks for hard negatives.
        dimensions: numbers of first dimensions that are to serve alone, too.
        teacher: grades pairs; with hard negatives.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: OptimizerConfig,
        temperature: float = 0.05,
        cached: int | None = None,
        mining: Mining | None = None,
        dimensions: Sequence[int] = (),
        teacher: Teacher | None = None,
    ) -> None:
        super().__init__(model, optimizer)
        self.temperature, self.cached, self._mining, self.dimensions = temperature, cached, mining, dimensions
        self._teacher = teacher
        self._seen: list[tuple[torch.Tensor, ...]] = []

    def configure_callbacks(self) -> list[Callback]:
        """The search for hard negatives, before each epoch."""
        return [self._mining] if self._mining else []

    def on_before_batch_transfer(self, batch: Batch, _loader: int) -> Batch:
        """The teacher is asked on the CPU, where the pairs' numbers are; it knows those of training."""
        if self._teacher is None or not self.training:
            return batch
        return batch | {"grades": pinned(_graded(self._teacher, batch))}

    def loss(self, batch: Batch) -> torch.Tensor:
        """Of the pairs of a batch."""
        queries, products = self._sides(batch)
        loss = self._loss_of(queries, products, batch["known"])
        if self._teacher is None:
            return loss
        grades = batch["grades"] if "grades" in batch else _graded(self._teacher, batch)
        return loss + self._distilled(grades.to(queries, non_blocking=True), queries, products)

    def _distilled(self, grades: torch.Tensor, queries: torch.Tensor, products: torch.Tensor) -> torch.Tensor:
        count, width = queries.shape
        with torch.autocast(queries.device.type, enabled=False):
            cosines = (products.view(-1, count, width) * queries).sum(-1).T
            ours, theirs = (part / self.temperature for part in (cosines, grades.view(-1, count).T))
            return kl_div(ours.log_softmax(-1), theirs.log_softmax(-1), reduction="batchmean", log_target=True)

    def _sides(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, D) queries and (B + B · H, D) products."""
        vectors, count = self.vectors(batch), len(batch["query"])
        own, products = item_vectors(self.model), vectors[count:]
        return vectors[:count], products if own is None else own(products, batch["item"])

    def vectors(self, batch: Batch) -> torch.Tensor:
        """(2B + B · H, D) of unit length: queries, then products by their texts."""
        count = len(batch["lengths"])
        if self.cached is None or count <= self.cached or not torch.is_grad_enabled():
            return self._encoded(batch)
        parts = [rows_of(batch, start, min(count, start + self.cached)) for start in range(0, count, self.cached)]
        return torch.cat([checkpoint(self._encoded, part, use_reentrant=False) for part in parts])

    def _encoded(self, batch: Batch) -> torch.Tensor:
        return normalize(mean_states(self.model, batch), dim=-1)

    def _loss_of(self, queries: torch.Tensor, products: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """In full precision: divided by τ, the error of a half-precision cosine would count."""
        with torch.autocast(queries.device.type, enabled=False):
            losses = [self._at(queries, products, known)]
            for width in self.dimensions:
                first, others = (normalize(side[:, :width], dim=-1) for side in (queries, products))
                losses.append(self._at(first, others, known))
            return torch.stack(losses).mean()

    def _at(self, queries: torch.Tensor, products: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        scores = (queries @ products.T / self.temperature).masked_fill(known, float("-inf"))
        return cross_entropy(scores, torch.arange(len(scores), device=scores.device))

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Keep the vectors of a batch, and its loss."""
        queries, products = self._sides(batch)
        loss = self._loss_of(queries, products, batch["known"])
        kept = (queries, products, batch["query"], batch["item"][: len(queries)], loss.repeat(len(queries)))
        self._seen.append(tuple(part.cpu() for part in kept))

    def on_validation_epoch_end(self) -> None:
        """Log `dev/loss`, and `dev/ndcg_at_10` over the products of the dev pairs."""
        if not self._seen:
            return
        queries, products, query, item, losses = (torch.cat(column) for column in zip(*self._seen, strict=True))
        self._seen.clear()
        self.log("dev/loss", losses.mean())
        self.log("dev/ndcg_at_10", _ndcg(queries, products, query.numpy(), item.numpy()), prog_bar=True)


def _graded(teacher: Teacher, batch: Batch) -> torch.Tensor:
    """(B + B · H,) grade of each product for the query that it stands with."""
    query, item = batch["query"].cpu().numpy(), batch["item"].cpu().numpy()
    return torch.from_numpy(teacher(np.tile(query, len(item) // len(query)), item))


def rows_of(batch: Batch, start: int, end: int) -> Batch:
    """Some texts of a padded batch."""
    own = ("input_ids", "attention_mask", "token_type_ids", "lengths")
    return {name: batch[name][start:end] for name in own if name in batch}


def _ndcg(queries: torch.Tensor, products: torch.Tensor, query: np.ndarray, item: np.ndarray) -> float:
    """nDCG@10 of each query among the products of all pairs, those of its own pairs being right."""
    _, first, row = np.unique(query, return_index=True, return_inverse=True)
    _, place, column = np.unique(item, return_index=True, return_inverse=True)
    own, among = queries[first], products[place]
    found = nearest(own, among, CUT).numpy()
    right = np.isin(np.arange(len(own))[:, None] * len(among) + found, row * len(among) + column)
    discounts = 1 / np.log2(np.arange(2, CUT + 2))
    best = discounts.cumsum()[np.minimum(np.bincount(row), CUT) - 1]
    return float((right @ discounts[: found.shape[1]] / best).mean())
