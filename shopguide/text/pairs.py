"""Queries and products that fit them, as a loader serves them.

Shapes: Q queries, B pairs of a batch, H hard negatives of each, P of the pool that they are drawn from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from shopguide.text.batches import Index
from shopguide.text.examples import Collate, EncodedTexts


class QueryPairs(Dataset[dict[str, Any]]):
    """Each query with each product that fits it.

    Args:
        tokenizer: a transformers tokenizer.
        queries: Q texts.
        products: texts of the whole catalogue.
        positives: of each query, the row numbers of the products that fit.
        max_length: longer texts are cut off.
    """

    def __init__(
        self,
        tokenizer: Any,
        queries: list[str],
        products: list[str],
        positives: Sequence[Sequence[int]],
        max_length: int,
    ) -> None:
        self.query_texts, self.product_texts = queries, products
        self.queries = EncodedTexts(tokenizer, queries, None, max_length)
        self.products = EncodedTexts(tokenizer, products, None, max_length)
        self.positives = [frozenset(items) for items in positives]
        pairs = [(query, item) for query, items in enumerate(positives) for item in items]
        self.pairs = np.array(pairs, dtype=np.int64).reshape(len(pairs), 2)
        self.hard = 0
        """H: products drawn for each pair, by (epoch, pair), from the pool of its query."""
        self.pool: np.ndarray | None = None
        """(Q, P) products that look as if they fit, and are not known to; -1 where there are fewer."""
        self.groups: np.ndarray | None = None
        self.lists: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of a pair; its hard negatives are taken to be as long as its product."""
        queries, products = self.queries.lengths[self.pairs[:, 0]], self.products.lengths[self.pairs[:, 1]]
        found: np.ndarray = queries + (1 + self.hard) * products
        return found

    def __getitem__(self, index: Index) -> dict[str, Any]:
        query, item = (int(number) for number in self.pairs[index[1]])
        items = [item, *self._drawn(query, index)]
        texts = [self.queries[(0, query)], *(self.products[(0, number)] for number in items)]
        return {"texts": texts, "query": query, "items": items}

    def _drawn(self, query: int, index: Index) -> list[int]:
        """H products of the query's pool; the whole catalogue is its pool where it has too few."""
        if not self.hard:
            return []
        draw = np.random.Generator(np.random.Philox(key=list(index)))
        pool = np.array([], dtype=np.int64) if self.pool is None else self.pool[query][self.pool[query] >= 0]
        chosen = draw.permutation(pool)[: self.hard]
        others = draw.integers(0, len(self.products), self.hard - len(chosen))
        drawn: list[int] = np.concatenate([chosen, others]).tolist()
        return drawn

    def fill(self, rows: np.ndarray) -> None:
        """Take (Q, ≥ P) products, the most alike first, for the pool, but for those that fit."""
        found = rows.copy()
        for query, fits in enumerate(self.positives):
            kept = [row for row in rows[query].tolist() if row not in fits]
            found[query] = kept + [-1] * (rows.shape[1] - len(kept))
        self.pool = found

    def collate(self, pad_id: int) -> "CollatePairs":
        """What makes batches of the pairs."""
        return CollatePairs(Collate(pad_id), self.positives)


@dataclass(frozen=True)
class CollatePairs:
    """B queries, then the B products that fit them, then B · H hard negatives, padded as `Collate` does, without `row`.

    Also (B,) `query` and `item` numbers, and (B, B + B · H) `known`: which products fit a query beside its own one.
    """

    texts: Collate
    positives: Sequence[frozenset[int]]

    def __call__(self, examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Stack pairs."""
        sides = range(len(examples[0]["texts"]))
        batch = self.texts([example["texts"][side] for side in sides for example in examples])
        batch.pop("row")
        queries = [example["query"] for example in examples]
        items = [example["items"][side] for side in sides[:-1] for example in examples]
        known = torch.tensor([[item in self.positives[query] for item in items] for query in queries])
        known[:, : len(queries)] &= ~torch.eye(len(queries), dtype=torch.bool)
        return batch | {"query": torch.tensor(queries), "item": torch.tensor(items[: len(queries)]), "known": known}
