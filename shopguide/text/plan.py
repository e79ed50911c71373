"""Which examples of an epoch go together: a pure function of the plan and the epoch's number.

For examples that stand alone in unpadded batches of so many rows, the order is one of (seed, epoch) only, and rows cut
it; a budget of tokens brings forward what fills a gap.
"""

import hashlib
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from shopguide.text.packing import best_fit

POOL = 64
"""Batches among which examples are sorted by length: more saves padding, less keeps the order random."""


@dataclass(frozen=True)
class BatchPlan:
    """How examples of known lengths become the batches of an epoch.

    Attributes:
        lengths: (N,) tokens of each example.
        size: rows of a batch at most.
        tokens: tokens of a batch at most (a single longer example stands alone); None: no bound.
        seed: of the order.
        shuffle: False keeps the examples sorted by length, the longest first.
        unpadded: the model does no work on padding: the order is random, and `tokens` counts real ones. Otherwise
            batches are of examples of like length, and `tokens` counts rows × longest row.
        groups: (N,) number of the group of each example: a shuffled batch is of one group, and of the batches of an
            epoch each group has a share as the root of its number of examples: small ones come round more often (mixing
            by temperature 2; Raffel et al. 2020, §3.5.2). None: all are of one, and each example comes once.
        lists: (N,) number of the list of each example: a shuffled batch is of whole lists; one that is larger than a
            batch is cut, otherwise in each epoch. None: the examples stand alone.
    """

    lengths: np.ndarray
    size: int
    tokens: int | None = None
    seed: int = 0
    shuffle: bool = True
    unpadded: bool = False
    groups: np.ndarray | None = None
    lists: np.ndarray | None = None

    @cached_property
    def fingerprint(self) -> str:
        """The same for equal plans."""
        found = hashlib.blake2b(digest_size=8)
        for own in fields(self):
            value = getattr(self, own.name)
            found.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
        return found.hexdigest()

    def of_epoch(self, epoch: int) -> list[np.ndarray]:
        """The batches of an epoch."""
        if not self.shuffle:
            return self._alike(self._by_length(np.arange(len(self.lengths))))
        draw = np.random.Generator(np.random.Philox(key=[self.seed, epoch]))
        if self.groups is not None:
            return self._mixed(draw, self.groups)
        return self._shuffled(draw, np.arange(len(self.lengths)))

    def _mixed(self, draw: np.random.Generator, groups: np.ndarray) -> list[np.ndarray]:
        members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
        roots = np.sqrt([len(rows) for rows in members])
        passes = [self._shuffled(draw, rows) for rows in members]
        wanted = np.ceil(sum(map(len, passes)) * roots / roots.sum()).astype(int)
        for rows, batches, number in zip(members, passes, wanted, strict=True):
            while len(batches) < number:
                batches += self._shuffled(draw, rows)
        mixed = [batch for batches, number in zip(passes, wanted, strict=True) for batch in batches[:number]]
        return [mixed[i] for i in draw.permutation(len(mixed))]

    def _shuffled(self, draw: np.random.Generator, rows: np.ndarray) -> list[np.ndarray]:
        """The batches of a pass over these examples; every one is in exactly one."""
        order = draw.permutation(rows)
        if self.lists is not None:
            return self._together(draw, order, self.lists[order])
        if self.unpadded:
            return self._in_order(order)
        batches: list[np.ndarray] = []
        for start in range(0, len(order), POOL * self.size):
            pool = order[start : start + POOL * self.size]
            batches += self._alike(self._by_length(pool))
        return [batches[i] for i in draw.permutation(len(batches))]

    def _together(self, draw: np.random.Generator, order: np.ndarray, lists: np.ndarray) -> list[np.ndarray]:
        """Whole lists in random order, as many as fit into a batch."""
        names, number = np.unique(lists, return_inverse=True)
        place = draw.permutation(len(names))[number]
        rows = order[np.argsort(place, kind="stable")]
        batches: list[list[int]] = [[]]
        for members in np.split(rows, np.cumsum(np.bincount(place))[:-1]):
            cut = self._in_order(members) if self.unpadded else self._alike(self._by_length(members))
            for piece in cut:
                if batches[-1] and not self._fits([*batches[-1], *piece]):
                    batches.append([])
                batches[-1] += piece.tolist()
        return [np.array(batch) for batch in batches]

    def _by_length(self, rows: np.ndarray) -> np.ndarray:
        """The longest first."""
        return rows[np.argsort(-self.lengths[rows], kind="stable")]

    def _fits(self, rows: list[int]) -> bool:
        lengths = self.lengths[rows]
        taken = int(lengths.sum()) if self.unpadded else len(rows) * int(lengths.max())
        return len(rows) <= self.size and (self.tokens is None or taken <= self.tokens)

    def _in_order(self, order: np.ndarray) -> list[np.ndarray]:
        if self.tokens is not None:
            return list(best_fit(order.tolist(), self.lengths, self.tokens, self.size))
        return [order[start : start + self.size] for start in range(0, len(order), self.size)]

    def _alike(self, order: np.ndarray) -> list[np.ndarray]:
        """Cut rows that stand in order of falling length."""
        batches, start = [], 0
        while start < len(order):
            longest = max(1, int(self.lengths[order[start]]))
            rows = self.size if self.tokens is None else max(1, min(self.size, self.tokens // longest))
            batches.append(order[start : start + rows])
            start += rows
        return batches
