"""Reader `files`: a shop's own records in the documented formats.

`root` is a folder with `products.*`, `behaviours.*`, `judgements.*`, `dialogues.*`, `pairs.*`, `annotations.*` (files,
or folders of parts), or a single file. An option named like a table gives that table's place instead: a path, or the
name of a `datasets` data set (`owner/name` or `owner/name:split`).
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from shopguide.errors import DataError
from shopguide.records.faults import RawRow, bad_row
from shopguide.records.formats import READERS, read_file
from shopguide.records.schema import TABLES

PACKED = ("", ".gz", ".zip")


def read(root: Path, **options: str) -> dict[str, Iterator[RawRow]]:
    """Table → its raw rows."""
    tables: dict[str, Iterator[RawRow]] = {}
    for table, place in places(root, options).items():
        if isinstance(place, list):
            tables[table] = chain.from_iterable(map(read_file, place))
        else:
            tables[table] = _dataset_rows(place)
    return tables


def sources(root: Path, **options: str) -> list[Path]:
    """The files whose contents decide the rows."""
    found: list[Path] = []
    for place in places(root, options).values():
        found += place if isinstance(place, list) else [Path(f["filename"]) for f in _dataset(place).cache_files]
    return found


def places(root: Path, options: dict[str, str]) -> dict[str, list[Path] | str]:
    """Table → its files, or the name of its data set.

    Raises:
        DataError: an option names no table, or nothing is found.
    """
    unknown = set(options) - {*TABLES, "table"}
    if unknown:
        raise DataError(f"data.options: expected {', '.join(TABLES)} or table, found {', '.join(sorted(unknown))}")
    if root.is_file():
        return {_table_of(root, options.get("table")): [root]}
    found: dict[str, list[Path] | str] = {}
    for table in TABLES:
        if table in options:
            found[table] = _named(root, str(options[table]))
        elif files := _files(root, table):
            found[table] = files
    if not found:
        endings = ", ".join(READERS)
        raise DataError(
            f"data.root={root}: expected files named {', '.join(f'{t}.*' for t in TABLES)} ({endings}; "
            f"also .gz, .zip), found {_contents(root)}"
        )
    return found


def _contents(root: Path) -> str:
    if not root.is_dir():
        return "no such folder"
    return ", ".join(sorted(p.name for p in root.iterdir())[:8]) or "an empty folder"


def _known(path: Path) -> bool:
    name = path.name.lower()
    return any(name.endswith(f"{ending}{packed}") for ending in READERS for packed in PACKED)


def _files(root: Path, table: str) -> list[Path]:
    folder = root / table
    parts = folder.rglob("*") if folder.is_dir() else root.glob(f"{table}.*")
    return sorted(path for path in parts if path.is_file() and (_known(path) or path.name == f"{table}.zip"))


def _table_of(path: Path, named: str | None) -> str:
    stem = named or path.name.split(".")[0]
    if stem in TABLES:
        return stem
    raise DataError(
        f"data.root={path}: expected a file named after a table ({', '.join(TABLES)}); "
        "say what it holds with data.options.table=…"
    )


def _named(root: Path, place: str) -> list[Path] | str:
    for path in (Path(place).expanduser(), root / place):
        if path.is_dir():
            return sorted(p for p in path.rglob("*") if p.is_file() and _known(p))
        if path.exists() or _known(path):
            return [path]
    return place


def _dataset(name: str) -> Any:
    """A data set by its hub name or local folder.

    Raises:
        DataError: it cannot be loaded.
    """
    from datasets import load_dataset

    source, _, split = name.partition(":")
    try:
        return load_dataset(source, split=split or "train")
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"data set `{name}`: expected a path or `owner/name[:split]`; {reason}") from error


def _dataset_rows(name: str) -> Iterator[RawRow]:
    number = 0
    for number, values in enumerate(_dataset(name), 1):
        yield RawRow(name, number, dict(values))
    if not number:
        yield bad_row(name, 0, "rows", "an empty data set")
