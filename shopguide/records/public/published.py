"""What the readers of published sets share: finding the files, and rows that cannot be read."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from shopguide.errors import DataError
from shopguide.records.faults import RawRow


def existing(root: Path, *patterns: str) -> list[Path]:
    """The files of a published set.

    Raises:
        DataError: one of the patterns matches none.
    """
    found: list[Path] = []
    for pattern in patterns:
        files = sorted(root.glob(pattern)) if root.is_dir() else []
        if not files:
            raise DataError(
                f"data.root={root}: expected {' and '.join(patterns)} as the authors publish them, found no {pattern}"
            )
        found += files
    return found


def mapped(rows: Iterable[RawRow], make: Any) -> Iterator[RawRow]:
    """Rows with their values made into a table's fields; faults pass through."""
    for row in rows:
        if row.values is None:
            yield row
        else:
            yield RawRow(row.file, row.line, make(row.values))


def present(values: dict[str, Any]) -> dict[str, Any]:
    """The values that say something."""
    return {name: value for name, value in values.items() if value not in (None, "", "NA", "N/A")}
