"""QueryNER: search queries with spans of 17 types (Palen-Michel et al. 2024).

Files: `train.bio.txt`, `dev.bio.txt`, `test.bio.txt` (or .gz), those that are there: word, tab, tag.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from shopguide.records.faults import RawRow
from shopguide.records.public.published import of_splits
from shopguide.records.public.tagged import annotations

PATTERN = "{}.bio.txt"


def sources(root: Path) -> list[Path]:
    """The published files that are there, training first."""
    return list(of_splits(root, PATTERN).values())


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Annotations."""
    files = of_splits(root, PATTERN)
    return {"annotations": chain.from_iterable(annotations(file, "\t", " ", split) for split, file in files.items())}
