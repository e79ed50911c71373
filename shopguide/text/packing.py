"""Best-fit packing: batches filled to a budget of tokens.

A batch takes the documents that have waited longest while any document would fit; its last gap is filled with the
longest document that fits, out of the next `AHEAD` of the stream. So the order stays random, and almost nothing of the
budget is lost.
"""

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

AHEAD = 1024
"""Documents among which the best fit is sought."""


class _Waiting:
    """Documents that wait for a batch, by age and by length."""

    def __init__(self) -> None:
        self.by_age: deque[tuple[int, int]] = deque()
        self.by_length: dict[int, deque[int]] = {}
        self.sizes: list[int] = []
        self.gone: set[int] = set()
        self.count = 0

    def add(self, document: int, length: int) -> None:
        self.by_age.append((document, length))
        if length not in self.by_length:
            self.by_length[length] = deque()
            insort(self.sizes, length)
        self.by_length[length].append(document)
        self.count += 1

    def oldest(self) -> tuple[int, int]:
        """The document that has waited longest, and its length."""
        while self.by_age[0][0] in self.gone:
            self.gone.remove(self.by_age.popleft()[0])
        document, length = self.by_age.popleft()
        self._leave(length)
        return document, length

    def longest_within(self, room: int) -> tuple[int, int] | None:
        """The longest document of at most `room` tokens; of equals the one that has waited longest."""
        place = bisect_right(self.sizes, room)
        if place == 0:
            return None
        length = self.sizes[place - 1]
        document = self._leave(length)
        self.gone.add(document)
        return document, length

    def _leave(self, length: int) -> int:
        """Whoever leaves is the one of its length that has waited longest."""
        same = self.by_length[length]
        document = same.popleft()
        if not same:
            del self.by_length[length]
            self.sizes.remove(length)
        self.count -= 1
        return document


def best_fit(stream: Iterable[int], lengths: np.ndarray, tokens: int, rows: int) -> Iterator[np.ndarray]:
    """Cut a stream of documents into batches; every document is in exactly one.

    Args:
        stream: document numbers, in random order.
        lengths: (N,) tokens of each document.
        tokens: of a batch at most; a single longer document stands alone.
        rows: documents of a batch at most.
    """
    source, waiting = iter(stream), _Waiting()
    longest = int(lengths.max(initial=0))
    while True:
        for document in source:
            waiting.add(document, int(lengths[document]))
            if waiting.count >= AHEAD:
                break
        if not waiting.count:
            return
        document, length = waiting.oldest()
        batch, room = [document], tokens - length
        while waiting.count and len(batch) < rows:
            found = waiting.oldest() if room >= longest else waiting.longest_within(room)
            if found is None:
                break
            batch.append(found[0])
            room -= found[1]
        yield np.array(batch)
