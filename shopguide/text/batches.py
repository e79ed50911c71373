"""Batches of examples: the same order for any number of workers or processes, resumable mid-epoch.

The plan of an epoch is a pure function of (lengths, seed, epoch). The loader counts what it has handed out, so that its
state is two numbers, and Lightning stores them in every checkpoint.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from shopguide.text.plan import BatchPlan

Index = tuple[int, int]
"""(epoch, example): a masked example depends on both."""


class Batches(Sampler[list[Index]]):
    """The batches of one epoch after the other, from a given batch on."""

    def __init__(self, plan: BatchPlan) -> None:
        self.plan = plan
        self.epoch, self.position = 0, 0
        self._planned: tuple[int, list[np.ndarray]] | None = None

    def _of_epoch(self) -> list[np.ndarray]:
        if self._planned is None or self._planned[0] != self.epoch:
            plan = self.plan.of_epoch(self.epoch)
            self._planned = (self.epoch, own_share(plan, *_rank()) if self.plan.shuffle else plan)
        return self._planned[1]

    def __len__(self) -> int:
        return len(self._of_epoch())

    def __iter__(self) -> Iterator[list[Index]]:
        for batch in self._of_epoch()[self.position :]:
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
        self, examples: Dataset[Any], batches: Batches, collate: Callable[[Sequence[Any]], Any], num_workers: int
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
            if self.batches.plan.shuffle:
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
