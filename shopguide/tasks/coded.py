"""Columns of many rows and few distinct texts: each text once in memory, and four bytes a row.

Shapes: N rows.
"""

from array import array
from collections.abc import Iterable, Iterator, MutableSequence
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T", bound=str | None)


class Coded(MutableSequence[T]):
    """A list of texts that grows at its end; a slice of it is a list.

    Args:
        values: to begin with.
    """

    def __init__(self, values: Iterable[T] = ()) -> None:
        self._texts: list[T] = []
        self._place: dict[T, int] = {}
        self.codes = array("i")
        """(N,) numbers of the texts."""
        self.extend(values)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self._texts[code] for code in self.codes[place]]
        return self._texts[self.codes[place]]

    def __iter__(self) -> Iterator[T]:
        return map(self._texts.__getitem__, self.codes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, list | Coded) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))

    def append(self, value: T) -> None:
        """One row more."""
        self.codes.append(self._code(value))

    def insert(self, index: int, value: T) -> None:
        """As of a list."""
        self.codes.insert(index, self._code(value))

    def __setitem__(self, place: Any, value: Any) -> None:
        if isinstance(place, slice):
            raise TypeError("a slice of coded texts cannot be set")
        self.codes[place] = self._code(value)

    def __delitem__(self, place: Any) -> None:
        del self.codes[place]

    def _code(self, value: T) -> int:
        code = self._place.setdefault(value, len(self._texts))
        if code == len(self._texts):
            self._texts.append(value)
        return code

    def take(self, rows: np.ndarray) -> "Coded[T]":
        """Those of some rows."""
        found: Coded[T] = Coded()
        found._texts, found._place = self._texts, self._place
        found.codes = array("i", np.frombuffer(self.codes, np.intc)[rows].tobytes())
        return found

    def rows_of(self, value: T) -> np.ndarray:
        """The row numbers at which a text stands."""
        code = self._place.get(value, -1)
        return np.flatnonzero(np.frombuffer(self.codes, np.intc) == code)


def numbered(names: Iterable[str]) -> tuple[list[str], np.ndarray]:
    """The distinct names in their order, and the (N,) number of each row's; as `np.unique`, without a copy of each."""
    rows = list(names) if isinstance(names, Iterator) else names
    distinct = sorted(set(rows))
    place = {name: number for number, name in enumerate(distinct)}
    return distinct, np.fromiter((place[name] for name in rows), np.int64)
