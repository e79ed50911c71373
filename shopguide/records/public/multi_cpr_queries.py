"""Multi-CPR: 100,000 search queries of a Chinese shop (Long et al. 2022).

File: `train.query.txt` (or .gz): number, tab, query.
"""

from collections.abc import Iterator
from pathlib import Path

from shopguide.records.faults import RawRow, bad_row
from shopguide.records.formats import open_members
from shopguide.records.public.published import existing


def sources(root: Path) -> list[Path]:
    """The published file."""
    return existing(root, "train.query.txt*")[:1]


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Behaviours of a query alone."""
    return {"behaviours": _queries(sources(root)[0])}


def _queries(path: Path) -> Iterator[RawRow]:
    for file, name in open_members(path):
        for number, line in enumerate(file, 1):
            try:
                text = line.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                yield bad_row(name, number, "text in UTF-8", "other bytes")
                continue
            _, tab, query = text.partition("\t")
            yield (
                RawRow(name, number, {"query": query})
                if tab
                else bad_row(name, number, "number, tab, query", text[:40])
            )
