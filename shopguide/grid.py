"""The jobs of a sweep, as they were typed."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from shopguide.axes import Axis


@dataclass(frozen=True)
class Grid:
    """The jobs of a sweep; of a search, some points of its space."""

    configs: list[Any]
    """Each job's settings, checked."""
    overrides: list[list[str]]
    """Each job as it would be typed alone."""
    varying: list[str]
    """The keys that vary."""
    fixed: list[str]
    """What was typed and is the same for all jobs."""
    axes: Sequence[Axis] = ()
    """Of a search: what it varies."""
    settings: Callable[[list[str]], Any] | None = None
    """Of a search: the checked settings of a job as it would be typed alone."""

    @property
    def labels(self) -> list[str]:
        """What tells each job from the others: `lr=1e-4 epochs=2`."""
        return [label(job, self.varying) for job in self.overrides]


def label(overrides: Sequence[str], varying: Collection[str]) -> str:
    """`lr=1e-4 epochs=2`: what tells this job from its siblings."""
    plain = [override.lstrip("+") for override in overrides]
    return " ".join(override for override in plain if override.partition("=")[0] in varying)
