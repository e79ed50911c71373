"""Rows of whole numbers, of unequal length: a few in memory, many on disk, so that memory does not grow with them."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO

import numpy as np

HELD = 1 << 22
"""Numbers that are held in memory; beyond, all lie in a file that has no name and goes with its reader."""


class Ragged:
    """N rows, which are read as (L,) arrays; to be made by `RaggedWriter`."""

    def __init__(self, flat: np.ndarray, lengths: np.ndarray) -> None:
        self.lengths = lengths
        """(N,) numbers of each row."""
        self._flat, self._ends = flat, np.cumsum(lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, row: int) -> np.ndarray:
        end = int(self._ends[row])
        return self._flat[end - int(self.lengths[row]) : end]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[row] for row in range(len(self)))

    @classmethod
    def joined(cls, parts: Iterable["Ragged"]) -> "Ragged":
        """The rows of one after those of the other."""
        writer = RaggedWriter()
        for part in parts:
            for row in part:
                writer.add([row])
        return writer.done()


class RaggedWriter:
    """Takes rows, a few at a time."""

    def __init__(self) -> None:
        self._lengths: list[np.ndarray] = []
        self._held: list[np.ndarray] = []
        self._count = 0
        self._file: IO[bytes] | None = None

    def add(self, rows: Sequence[Sequence[int] | np.ndarray]) -> None:
        """Some rows more."""
        self._lengths.append(np.fromiter(map(len, rows), np.int64, len(rows)))
        self._held.append(np.fromiter(chain.from_iterable(rows), np.int32, int(self._lengths[-1].sum())))
        self._count += len(self._held[-1])
        if self._count > HELD:
            self._spill()

    def _spill(self) -> None:
        self._file = self._file or tempfile.TemporaryFile(prefix="shopguide-")  # noqa: SIM115
        for part in self._held:
            self._file.write(part.tobytes())
        self._held, self._count = [], 0

    def done(self) -> Ragged:
        """All rows that were added, in their order."""
        lengths = np.concatenate(self._lengths or [np.zeros(0, np.int64)])
        if self._file is None:
            return Ragged(np.concatenate(self._held or [np.zeros(0, np.int32)]), lengths)
        self._spill()
        self._file.flush()
        return Ragged(np.memmap(self._file, np.int32, "r"), lengths)
