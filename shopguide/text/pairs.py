"""Queries and products that fit them, as a loader serves them.

Shapes: Q queries, B pairs of a batch, H hard negatives of each, P of the pool that they are drawn from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
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
        queries: Sequence[str],
        products: Sequence[str],
        positives: Sequence[Sequence[int]],
        max_length: int,
    ) -> None:
        self.query_texts, self.product_texts = queries, products
        self.queries = EncodedTexts(tokenizer, queries, None, max_length)
        counts = np.fromiter(map(len, positives), np.int64, len(positives))
        items = np.fromiter(chain.from_iterable(positives), np.int64, int(counts.sum()))
        self.pairs = np.stack([np.repeat(np.arange(len(positives)), counts), items], axis=1)
        """(N, 2) numbers of a query and of a product that fits it."""
        self.fits = Fits(self.pairs, len(products))
        self._encode = partial(EncodedTexts, tokenizer, second=None, max_length=max_length)
        self._read = np.unique(items)
        """Rows of the catalogue that are read."""
        self.hard = 0
        """H: products drawn for each pair, by (seed, epoch, pair), from the pool of its query."""
        self._seed = 0
        self.pool: np.ndarray | None = None
        """(Q, P) products that look as if they fit, and are not known to; -1 where there are fewer. In shared memory:
        what is found later reaches the loader's processes, too."""
        self.groups: np.ndarray | None = None
        self.lists: np.ndarray | None = None

    def draw_hard(self, count: int, seed: int) -> None:
        """Have `count` hard negatives of each pair, out of the whole catalogue; before the products are first read."""
        self.hard, self._seed, self._read = count, seed, np.arange(len(self.product_texts))

    @cached_property
    def products(self) -> EncodedTexts:
        """Those that are read: without hard negatives, the ones that fit a query."""
        return self._encode([self.product_texts[row] for row in self._read.tolist()])

    def _product(self, row: int) -> dict[str, np.ndarray]:
        return self.products[(0, int(np.searchsorted(self._read, row)))]

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of a pair; its hard negatives are taken to be as long as its product."""
        queries = self.queries.lengths[self.pairs[:, 0]]
        products = self.products.lengths[np.searchsorted(self._read, self.pairs[:, 1])]
        found: np.ndarray = queries + (1 + self.hard) * products
        return found

    def __getitem__(self, index: Index) -> dict[str, Any]:
        query, item = (int(number) for number in self.pairs[index[1]])
        items = [item, *self._drawn(query, index)]
        texts = [self.queries[(0, query)], *map(self._product, items)]
        return {"texts": texts, "query": query, "items": items}

    def _drawn(self, query: int, index: Index) -> list[int]:
        """H products of the query's pool; the whole catalogue is its pool where it has too few."""
        if not self.hard:
            return []
        epoch, pair = index
        draw = np.random.Generator(np.random.Philox(key=[(self._seed << 32) | epoch, pair]))
        pool = np.array([], dtype=np.int64) if self.pool is None else self.pool[query][self.pool[query] >= 0]
        chosen = draw.permutation(pool)[: self.hard]
        others = draw.integers(0, len(self.products), self.hard - len(chosen))
        drawn: list[int] = np.concatenate([chosen, others]).tolist()
        return drawn

    def fill(self, rows: np.ndarray) -> None:
        """Take (Q, ≥ P) products, the most alike first, for the pool, but for those that fit."""
        fits = self.fits(np.arange(len(rows))[:, None], rows)
        order = np.argsort(fits, axis=1, kind="stable")
        self.take(np.where(np.take_along_axis(fits, order, 1), -1, np.take_along_axis(rows, order, 1)))

    def take(self, found: np.ndarray) -> None:
        """Take a pool as it is, (Q, P), -1 where it is shorter; workers that make batches see it, too."""
        if self.pool is None or self.pool.shape != found.shape:
            self.pool = torch.from_numpy(found).share_memory_().numpy()  # type: ignore[no-untyped-call]
        self.pool[:] = found

    def collate(self, pad_id: int) -> "CollatePairs":
        """What makes batches of the pairs."""
        return CollatePairs(Collate(pad_id), self.fits)


class Fits:
    """Which products fit which queries, asked of many at once.

    Args:
        pairs: (N, 2) numbers of a query and of a product that fits it.
        products: of the catalogue.
    """

    def __init__(self, pairs: np.ndarray, products: int) -> None:
        self._products = products
        self._known = np.unique(pairs[:, 0] * products + pairs[:, 1])

    def __call__(self, queries: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Numbers of queries and of products, of shapes that go together → bool; a product below 0 fits none."""
        asked = queries * self._products + items
        if not len(self._known):
            return np.zeros(asked.shape, dtype=bool)
        place = np.minimum(np.searchsorted(self._known, asked), len(self._known) - 1)
        found: np.ndarray = (self._known[place] == asked) & (items >= 0)
        return found


@dataclass(frozen=True)
class CollatePairs:
    """B queries, then the B products that fit them, then B · H hard negatives, padded as `Collate` does, without `row`.

    Also (B,) `query` and (B + B · H,) `item` numbers, and (B, B + B · H) `known`: which products fit a query beside its
    own one.
    """

    texts: Collate
    fits: Fits

    def __call__(self, examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Stack pairs."""
        sides = range(len(examples[0]["texts"]))
        batch = self.texts([example["texts"][side] for side in sides for example in examples])
        batch.pop("row")
        queries = np.array([example["query"] for example in examples])
        items = np.array([example["items"][side] for side in sides[:-1] for example in examples])
        known = self.fits(queries[:, None], items)
        np.fill_diagonal(known, False)
        columns = {"query": queries, "item": items, "known": known}
        return batch | {name: torch.from_numpy(column) for name, column in columns.items()}
