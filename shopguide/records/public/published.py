"""What the readers of published sets share: finding the files, and rows that cannot be read."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from shopguide.errors import DataError
from shopguide.records.faults import RawRow
from shopguide.records.formats import read_file
from shopguide.records.schema import SPLITS

Make = Callable[[dict[str, Any], str, str | None], dict[str, Any]]
"""A row's values, an id and the split → the values of a table's fields."""


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


def of_splits(root: Path, pattern: str) -> dict[str, Path]:
    """Split → its file, those that are there, training first.

    Args:
        root: folder of the set.
        pattern: `{}` stands for train, dev or test; `.gz` may follow.

    Raises:
        DataError: none is there.
    """
    found = {split: sorted(root.glob(f"{pattern.format(split)}*")) for split in SPLITS}
    files = {split: paths[0] for split, paths in found.items() if paths}
    return files or {"train": existing(root, pattern.format("train"))[0]}


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


def numbered(path: Path, make: Make, split: str | None) -> Iterator[RawRow]:
    """The rows of a file without ids: `make` gets a row's values, an id (file and row number), and the split."""
    for number, row in enumerate(read_file(path), 1):
        item = f"{path.name.split('.')[0]}-{number}"
        yield row if row.values is None else RawRow(row.file, row.line, make(row.values, item, split))


def whole(files: dict[str, Path], split: str) -> str | None:
    """The split of a file: its own where it is the test file, or where there is a training file beside others; None:
    it is to be drawn.
    """
    return split if split == "test" or ("train" in files and len(files) > 1) else None


def openbg_attributes(text: str) -> dict[str, list[str]]:
    """`name#:#value#;#name#:#value` → name → values, without doubles."""
    named: dict[str, list[str]] = {}
    for pair in text.split("#;#"):
        name, found, value = pair.partition("#:#")
        if found and value.strip() and value.strip() not in named.setdefault(name.strip(), []):
            named[name.strip()].append(value.strip())
    return {name: values for name, values in named.items() if name}
