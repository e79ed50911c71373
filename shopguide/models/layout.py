"""Where the documents of a batch lie in one row without padding, and which of them are attended to together.

Shapes: B documents, T places of the row, H heads, D width of a head; group g holds N documents, each in L places, and
P = Σ N·L over the groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from shopguide.models.shapes import recurring

WINDOW = 32
"""Places up to which documents of a group share one window of the attention kernel, which is slow on narrower ones."""


@dataclass(frozen=True)
class Group:
    """Documents that are attended to together, each padded to as many places."""

    first: int
    """Number of the first one, the longest document of the batch being 0."""
    lengths: tuple[int, ...]
    places: int
    """L, which each document takes."""

    @property
    def together(self) -> int:
        """Documents that may share a window, a power of two as N is."""
        return min(len(self.lengths), 1 << max(1, WINDOW // max(1, self.places)).bit_length() - 1)

    def real_keys(self) -> torch.Tensor | None:
        """(N, 1, 1, L) bool: the places that are no padding; None where there is no padding."""
        if self.lengths[-1] == self.places:
            return None
        return (torch.arange(self.places) < torch.tensor(self.lengths)[:, None])[:, None, None]


@dataclass(frozen=True)
class Spread:
    """The ways from the row to the groups' padded documents and back, as numbers of rows D wide."""

    into: torch.Tensor
    """(P·H,) for each place of the groups, (N, H, L) after (N, H, L), the row's; for padding, its document's first.
    Where W documents share a window, (N/W, H, W·L) after (N/W, H, W·L).
    """
    back: torch.Tensor
    """(T·H,) for each place of the row, the groups'; for filler, 0."""
    padding: torch.Tensor
    """The places of the groups that are padding."""
    real: int
    """Rows before the filler."""
    sizes: list[int]
    """N·H·L of each group."""


@dataclass(frozen=True)
class Placed:
    """What the row's making takes, on a device."""

    starts: torch.Tensor
    columns: torch.Tensor
    flat: torch.Tensor
    bounds: torch.Tensor
    """Each as `Layout` has it."""


class Layout:
    """Where the documents of a batch lie in the one row: end to end, the longest first.

    Args:
        lengths: B numbers of tokens.
        width: padded length of the batch.
        filled: places that belong to no document fill the row up to a length that recurs.
    """

    def __init__(self, lengths: Sequence[int], width: int, filled: bool) -> None:
        self.lengths, self.width = np.asarray(lengths, dtype=np.int64), width
        self.order = np.argsort(-self.lengths, kind="stable")
        self._falling = self.lengths[self.order]
        self._first = np.cumsum(self._falling) - self._falling
        self.tokens, self.longest = int(self.lengths.sum()), int(self._falling[0])
        self.filler = recurring(self.tokens) - self.tokens if filled else 0
        self.masks: dict[Any, torch.Tensor | None] = {}
        """Who sees whom in a group, for all layers of a kind."""
        self._spreads: dict[Any, Spread] = {}
        self._placed: dict[torch.device, Placed] = {}

    @property
    def is_whole(self) -> bool:
        """Whether one document is the whole row."""
        return len(self.lengths) == 1 and not self.filler

    @cached_property
    def starts(self) -> np.ndarray:
        """(B,) place of each document's first token, documents as in the batch."""
        starts = np.empty_like(self.lengths)
        starts[self.order] = self._first
        return starts

    @cached_property
    def columns(self) -> np.ndarray:
        """(T,) place of each token in its document; 0 for filler."""
        return np.pad(np.arange(self.tokens) - np.repeat(self._first, self._falling), (0, self.filler))

    @cached_property
    def flat(self) -> np.ndarray:
        """(T,) place of each token in the padded batch, read row by row; 0 for filler."""
        flat: np.ndarray = np.pad(np.repeat(self.order * self.width, self._falling), (0, self.filler)) + self.columns
        return flat

    @cached_property
    def bounds(self) -> np.ndarray:
        """(B + 1,) cumulative lengths, for variable-length kernels."""
        return np.concatenate([[0], np.cumsum(self._falling)])

    def on(self, device: torch.device) -> Placed:
        """The numbers of the row on a device: sent there once, in one piece."""
        if device not in self._placed:
            parts = self.starts, self.columns, self.flat, self.bounds
            sizes = [len(part) for part in parts]
            starts, columns, flat, bounds = torch.split(sent(np.concatenate(parts), device), sizes)
            self._placed[device] = Placed(starts, columns, flat, bounds.int())
        return self._placed[device]

    @cached_property
    def groups(self) -> list[Group]:
        """The documents in groups of few shapes: powers of two, the shortest at least 3/4 of the longest. Those without
        a token are in none, unless none has any.
        """
        lengths, groups, first = self._falling[: max(1, np.count_nonzero(self._falling))].tolist(), [], 0
        while first < len(lengths):
            longest = lengths[first]
            near = next(
                (n for n, length in enumerate(lengths[first:]) if 4 * length < 3 * longest), len(lengths) - first
            )
            count = 1 << (near.bit_length() - 1)
            groups.append(Group(first, tuple(lengths[first : first + count]), _places(longest)))
            first += count
        return groups

    def spread(self, heads: int, device: torch.device, shared: bool) -> Spread:
        """The ways between row and groups, made once for a number of heads; `shared`: documents share windows."""
        key = heads, device, shared
        if key not in self._spreads:
            self._spreads[key] = self._make_spread(*key)
        return self._spreads[key]

    def _make_spread(self, heads: int, device: torch.device, shared: bool) -> Spread:
        head, into, real = np.arange(heads)[:, None], [], []
        for group in self.groups:
            place = np.arange(group.places)
            held = place < np.asarray(group.lengths)[:, None]
            row = self._first[group.first : group.first + len(group.lengths), None] + place * held
            together = group.together if shared else 1
            windows = len(row) // together, 1, together * group.places
            row, held = row.reshape(windows), held.reshape(windows)
            into.append((row * heads + head).ravel())
            real.append(held.repeat(heads, axis=1).ravel())
        sources, held = np.concatenate(into), np.concatenate(real)
        back = np.zeros((self.tokens + self.filler) * heads, dtype=np.int64)
        back[sources[held]] = held.nonzero()[0]
        ways = (sources, back, (~held).nonzero()[0])
        there, again, padding = (sent(way, device) for way in ways)
        return Spread(there, again, padding, self.tokens * heads, [len(part) for part in into])


def sent(numbers: np.ndarray, device: torch.device) -> torch.Tensor:
    """On a device; a GPU takes them from pinned memory, without anyone waiting."""
    tensor = torch.from_numpy(numbers)
    return (tensor.pin_memory() if device.type == "cuda" else tensor).to(device, non_blocking=True)


def _places(length: int) -> int:
    """The next multiple of 4, 8, 16, …: at most a third more."""
    power = max(4, 1 << max(length.bit_length() - 3, 0))
    return -(-length // power) * power
