"""Queries and products that fit them, as a loader serves them.

Shapes: B pairs of a batch, L tokens of the longest text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from shopguide.text.batches import Index
from shopguide.text.examples import Collate, EncodedTexts


class QueryPairs(Dataset[dict[str, np.ndarray]]):
    """Each query with each product that fits it.

    Args:
        tokenizer: a transformers tokenizer.
        queries: texts.
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
        self.queries = EncodedTexts(tokenizer, queries, None, max_length)
        used = sorted({item for items in positives for item in items})
        self.place: Mapping[int, int] = {item: number for number, item in enumerate(used)}
        self.products = EncodedTexts(tokenizer, [products[item] for item in used], None, max_length)
        self.positives = [frozenset(items) for items in positives]
        pairs = [(query, item) for query, items in enumerate(positives) for item in items]
        self.pairs = np.array(pairs, dtype=np.int64).reshape(len(pairs), 2)
        items = [self.place[item] for item in self.pairs[:, 1].tolist()]
        self.lengths = self.queries.lengths[self.pairs[:, 0]] + self.products.lengths[items]
        self.groups: np.ndarray | None = None
        self.lists: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: Index) -> dict[str, Any]:
        query, item = (int(number) for number in self.pairs[index[1]])
        own, other = self.queries[(0, query)], self.products[(0, self.place[item])]
        return {"texts": (own, other), "query": query, "item": item}

    def collate(self, pad_id: int) -> "CollatePairs":
        """What makes batches of the pairs."""
        return CollatePairs(Collate(pad_id), self.positives)


@dataclass(frozen=True)
class CollatePairs:
    """2B texts, first the B queries, then their B products, as `Collate` pads them, without `row`.

    Also (B,) `query` and `item` numbers, and (B, B) `known`: whether another pair's product fits a query, too.
    """

    texts: Collate
    positives: Sequence[frozenset[int]]

    def __call__(self, examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Stack pairs."""
        batch = self.texts([example["texts"][side] for side in (0, 1) for example in examples])
        batch.pop("row")
        queries, items = ([example[name] for example in examples] for name in ("query", "item"))
        known = torch.tensor([[item in self.positives[query] for item in items] for query in queries])
        batch |= {"query": torch.tensor(queries), "item": torch.tensor(items)}
        return batch | {"known": known & ~torch.eye(len(examples), dtype=torch.bool)}
