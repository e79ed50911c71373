"""Batches worked on side by side, each on a core of its own.

Cores that share the steps of a small network wait for each other at each of them; with a batch each, they do not.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Batch = TypeVar("Batch")
Result = TypeVar("Result")


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
