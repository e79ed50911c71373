"""Batches of examples: the same order for any number of workers or processes, resumable mid-epoch.

The plan of an epoch is a pure function of the plan's settings and the epoch's number. The loader counts what it has
handed out, so that its state is a few numbers and the plan's fingerprint, and every checkpoint stores them.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from shopguide.errors import RunError
from shopguide.machine import own_cores
from shopguide.text.plan import BatchPlan

MOST_WORKERS = 4
Index = tuple[int, int]
"""(epoch, example): a masked example depends on both."""


class Batches(Sampler[list[Index]]):
    """The batches of one plan after the other, from a given place on.

    Every epoch of the trainer, which asks for their number once, has as many as the first plan. Where a later plan has
    more or fewer (lists and budgets of tokens pack otherwise each time), the next epoch begins within it, or the epoch
    ends with the first batches of the following one: each plan is handed out whole, nothing is left out.
    """

    def __init__(self, plan: BatchPlan) -> None:
        self.plan = plan
        self.epoch, self.position, self.handed = 0, 0, 0
        """The plan's number, the next batch in it, and batches handed out in the trainer's epoch."""
        self._planned: dict[int, list[np.ndarray]] = {}

    def of(self, epoch: int) -> list[np.ndarray]:
        """This process's batches of a plan; the last two plans, and the first one, are kept."""
        if epoch not in self._planned:
            plan = self.plan.of_epoch(epoch)
            self._planned[epoch] = own_share(plan, *_rank()) if self.plan.shuffle else plan
            self._planned = {n: batches for n, batches in self._planned.items() if n == 0 or abs(n - epoch) < 2}
        return self._planned[epoch]

    def __len__(self) -> int:
        return len(self.of(0))

    def __iter__(self) -> Iterator[list[Index]]:
        place = self.epoch, self.position
        for _ in range(len(self) - self.handed):
            epoch, position = place
            yield [(epoch, int(i)) for i in self.of(epoch)[position]]
            place = self._after(epoch, position)

    def advance(self) -> None:
        """One more batch is handed out."""
        self.epoch, self.position = self._after(self.epoch, self.position)
        self.handed += 1

    def _after(self, epoch: int, position: int) -> tuple[int, int]:
        if position + 1 < len(self.of(epoch)):
            return epoch, position + 1
        return epoch + self.plan.shuffle, 0


def own_share(plan: list[np.ndarray], rank: int, world: int) -> list[np.ndarray]:
    """Every `world`-th batch from `rank` on, wrapped so that all processes get equally many."""
    rounds = -(-len(plan) // world)
    return [plan[i % len(plan)] for i in range(rank, rounds * world, world)]


def _rank() -> tuple[int, int]:
    ready = torch.distributed.is_available() and torch.distributed.is_initialized()
    return (torch.distributed.get_rank(), torch.distributed.get_world_size()) if ready else (0, 1)


def loading_workers(wanted: int | None, device: str) -> int:
    """Processes that make batches: as many as are wanted; else some where a GPU trains, none where a CPU does."""
    if wanted is not None or not device.startswith("cuda"):
        return wanted or 0
    return min(MOST_WORKERS, own_cores() - 1)


def _unheeding(_worker: int) -> None:
    """Ctrl-C in a terminal reaches all processes: those that make batches are ended by the one that trains."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


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
            worker_init_fn=_unheeding,
        )
        self.batches = batches

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """Hand out the rest of the epoch, or the next epoch where it is done."""
        if self.batches.handed >= len(self.batches):
            self.batches.handed = 0
        # The sampler reads its place once, when iteration begins: counting here leaves prefetching workers alone.
        for batch in super().__iter__():
            self.batches.advance()
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """The place in the data, the batches handed out in this epoch, the plan's fingerprint, and how many train."""
        own = self.batches
        return {
            "epoch": own.epoch,
            "position": own.position,
            "handed": own.handed,
            "plan": own.plan.fingerprint,
            "processes": _rank()[1],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken.

        Raises:
            RunError: the batches are others than those which training began with, or as many processes do not train.
        """
        own = self.batches
        anew = "start a new run without resume, or of a sweep with sweep.fresh=true"
        if state.get("plan") != own.plan.fingerprint:
            raise RunError(
                "resume: expected the batches that the checkpoint was made with, found others (other texts, or another "
                f"version of shopguide or transformers, with which they are made otherwise); {anew}"
            )
        if state["processes"] != (processes := _rank()[1]):
            raise RunError(
                f"resume: expected as many processes as training began with, {state['processes']}, found {processes}; "
                f"set trainer.devices={state['processes']}, or {anew}"
            )
        own.epoch, own.position, own.handed = state["epoch"], state["position"], state["handed"]
