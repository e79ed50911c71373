"""Product and brand names in Chinese titles: spans HC (product) and HP (brand), tagged BIEOS by character.

Files: `train.txt.bieos`, `dev.txt.bieos`, `test.txt.bieos` (or .gz), those that are there: character, tab, tag.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from shopguide.records.faults import RawRow
from shopguide.records.public.published import of_splits
from shopguide.records.public.tagged import annotations

PATTERN = "{}.txt.bieos"


def sources(root: Path) -> list[Path]:
    """The published files that are there, training first."""
    return list(of_splits(root, PATTERN).values())


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Annotations."""
    files = of_splits(root, PATTERN)
    return {"annotations": chain.from_iterable(annotations(file, "\t", "", split) for split, file in files.items())}
