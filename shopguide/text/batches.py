"""Batches of examples of like length: the same order for any number of workers or processes, resumable mid-epoch.

The plan of an epoch is a pure function of (lengths, seed, epoch). The loader counts what it has handed out, so that its
state is two numbers, and Lightning stores them in every checkpoint.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

POOL = 64
"""Batches among which examples are sorted by length: more saves padding, less keeps the order random."""

Index = tuple[int, int]
"""(epoch, example): a masked example depends on both."""


def plan_batches(
    lengths: np.ndarray, size: int, tokens: int | None, seed: int, epoch: int, shuffle: bool = True
) -> list[np.ndarray]:
    """Cut examples into batches of like length; every example is in exactly one.

    Args:
        lengths: (N,) tokens of each example.
        size: rows of a batch at most.
        tokens: rows × longest row of a batch at most (a single longer example stands alone); None: no bound.
        seed: of the order.
        epoch: number of the pass.
        shuffle: False keeps the examples sorted by length, the longest first.
    """
    if not shuffle:
        return _cut(np.argsort(-lengths, kind="stable"), lengths, size, tokens)
    draw = np.random.Generator(np.random.Philox(key=[seed, epoch]))
    order = draw.permutation(len(lengths))
    batches: list[np.ndarray] = []
    for start in range(0, len(order), POOL * size):
        pool = order[start : start + POOL * size]
        batches += _cut(pool[np.argsort(-lengths[pool], kind="stable")], lengths, size, tokens)
    return [batches[i] for i in draw.permutation(len(batches))]


def _cut(order: np.ndarray, lengths: np.ndarray, size: int, tokens: int | None) -> list[np.ndarray]:
    """Cut rows that stand in order of falling length."""
    batches, start = [], 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        rows = size if tokens is None else max(1, min(size, tokens // longest))
        batches.append(order[start : start + rows])
        start += rows
    return batches


class LengthBatches(Sampler[list[Index]]):
    """The batches of one epoch after the other, from a given batch on."""

    def __init__(self, lengths: np.ndarray, size: int, tokens: int | None, seed: int, shuffle: bool = True) -> None:
        self.lengths, self.size, self.tokens, self.seed, self.shuffle = lengths, size, tokens, seed, shuffle
        self.epoch, self.position = 0, 0
        self._planned: tuple[int, list[np.ndarray]] | None = None

    def _plan(self) -> list[np.ndarray]:
        if self._planned is None or self._planned[0] != self.epoch:
            plan = plan_batches(self.lengths, self.size, self.tokens, self.seed, self.epoch, self.shuffle)
            self._planned = (self.epoch, own_share(plan, *_rank()) if self.shuffle else plan)
        return self._planned[1]

    def __len__(self) -> int:
        return len(self._plan())

    def __iter__(self) -> Iterator[list[Index]]:
        for batch in self._plan()[self.position :]:
            yield [(self.epoch, int(i)) for i in batch]


def own_share(plan: list[np.ndarray], rank: int, world: int) -> list[np.ndarray]:
    """Every `world`-th batch from `rank` on, wrapped so that all processes get equally many."""
    rounds = -(-len(plan) // world)
    return [plan[i % len(plan)] for i in range(rank, rounds * world, world)]


def _rank() -> tuple[int, int]:
    ready = torch.distributed.is_available() and torch.distributed.is_initialized()
    return (torch.distributed.get_rank(), torch.distributed.get_world_size()) if ready else (0, 1)


class BatchLoader(DataLoader[Any]):
    """A loader whose place in the data is part of the checkpoint."""

    def __init__(
        self, examples: Dataset[Any], batches: LengthBatches, collate: Callable[[Sequence[Any]], Any], num_workers: int
    ) -> None:
        super().__init__(
            examples,
            batch_sampler=batches,
            collate_fn=collate,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            pin_memory=torch.cuda.is_available(),
        )
        self.batches = batches

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """Hand out the rest of the epoch, or the next epoch where it is done."""
        if self.batches.position >= len(self.batches):
            if self.batches.shuffle:
                self.batches.epoch += 1
            self.batches.position = 0
        # The sampler reads its place once, when iteration begins: counting here leaves prefetching workers alone.
        for batch in super().__iter__():
            self.batches.position += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Epoch and number of batches handed out."""
        return {"epoch": self.batches.epoch, "position": self.batches.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where `state_dict` was taken."""
        self.batches.epoch, self.batches.position = state["epoch"], state["position"]
