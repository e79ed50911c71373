"""Batches worked on side by side, each on cores of its own.

Cores that share the steps of a small network wait for each other at each of them; with a batch each, they do not.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

Batch = TypeVar("Batch")
Result = TypeVar("Result")


def evened(batches: list[np.ndarray], lanes: int) -> list[np.ndarray]:
    """The last ones, where they would keep at most half of the lanes busy, are cut into pieces for the others.

    Args:
        batches: row numbers, the longest texts first.
        lanes: how many batches are worked on at once.
    """
    over = len(batches) % lanes
    if not over:
        return batches
    parts = lanes // over
    cut = (batch[part::parts] for batch in batches[-over:] for part in range(parts))
    return [*batches[:-over], *(rows for rows in cut if len(rows))]


def side_by_side(
    work: Callable[[Batch], Result],
    batches: Sequence[Batch],
    lanes: int,
    prepare: Callable[[], object] | None = None,
) -> Iterator[Result]:
    """What `work` gives for each batch, in their order; what was not begun is left when the caller stops.

    Args:
        work: called by as many threads at once as there are lanes; by the caller's own where there is one lane.
        batches: any number.
        lanes: how many batches at once.
        prepare: called by each thread first.
    """
    if lanes < 2:
        yield from map(work, batches)
        return
    pool = ThreadPoolExecutor(lanes, initializer=prepare)
    try:
        yield from pool.map(work, batches)
    finally:
        pool.shutdown(cancel_futures=True)
