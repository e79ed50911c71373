"""What a search varies: the axes of its space, from Hydra's words for a sweep."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shopguide.errors import ConfigError


@dataclass(frozen=True)
class Axis:
    """A setting, and what it may be: one of several values, or a number between two."""

    key: str
    """As it is typed, `+` and all."""
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    """Whether equal ratios are equally far apart."""
    whole: bool = False
    """Whether an interval is of whole numbers."""

    @property
    def values(self) -> tuple[str, ...]:
        """The choices, or both ends."""
        return self.choices or (self._shown(self.low), self._shown(self.high))

    @property
    def count(self) -> float:
        """How many values it has."""
        if self.choices:
            return len(set(self.choices))
        return int(self.high) - int(self.low) + 1 if self.whole else math.inf

    def __str__(self) -> str:
        key = self.key.lstrip("+")
        if self.choices:
            return f"{key}: {', '.join(self.choices)}"
        kind = ", whole numbers" if self.whole else ""
        return f"{key}: {' to '.join(self.values)}{kind}{', by ratios' if self.log else ''}"

    def typed(self, value: Any) -> str:
        """`lr=0.000123`: the setting at a value, numbers to four digits."""
        return f"{self.key}={value if self.choices else self._shown(value)}"

    def _shown(self, number: float) -> str:
        return str(int(number)) if self.whole else f"{number:.4g}"


def axis_of(override: Any) -> Axis:
    """The axis that a parsed override stands for: `lr=1e-5,1e-4`, `epochs=range(1,5)`, `lr=interval(1e-5,1e-3)`.

    An interval is on a logarithmic scale where it says `tag(log, interval(…))`, and where it is a learning rate's; of
    whole numbers where it says `int(interval(…))`.

    Raises:
        ConfigError: an interval without a length, or a logarithmic one that does not begin above zero.
    """
    key, value = override.get_key_element(), override.value()
    if not override.is_interval_sweep():
        return Axis(key, tuple(override.sweep_string_iterator()))
    low, high = value.start, value.end
    log = "log" in value.tags or override.key_or_group.rpartition(".")[2] == "lr"
    if low is None or high is None or low >= high or (log and low <= 0):
        above = ", the first above 0" if log else ""
        raise ConfigError(f"{override.input_line}: expected interval(<lower>,<higher>){above}")
    return Axis(key, low=low, high=high, log=log, whole=isinstance(low, int) and isinstance(high, int))


def corners(axes: Sequence[Axis]) -> list[list[str]]:
    """Points of a space, as they are typed, among which each axis takes each of its choices, or both its ends."""
    most = max((len(axis.values) for axis in axes), default=0)
    return [[f"{axis.key}={axis.values[min(n, len(axis.values) - 1)]}" for axis in axes] for n in range(most)]
