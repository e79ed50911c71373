"""Multi-CPR as multiple choice: a Taobao query and four titles, of which one fits (1).

File: `dev.json` (or `test.json`, or .gz), a JSON object a line: `sentences` (the query, and the titles by commas) and
`spans` (the one that fits).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow, bad_row
from shopguide.records.formats import read_file
from shopguide.records.public.published import of_splits, whole

QUERY, TITLES = "Query: ", "\nCandidate Document: "


@dataclass(frozen=True)
class Choice:
    """A query, its titles, and the one that fits."""

    name: str
    query: str
    titles: list[str]
    fits: str
    split: str | None


Make = Callable[[Choice], Iterator[dict[str, Any]]]


def sources(root: Path) -> list[Path]:
    """The published files that are there."""
    return list(of_splits(root, "{}.json").values())


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Products, one a title of a query, and judgements 1 and 0."""
    files = of_splits(root, "{}.json")
    return {"products": _rows(files, _products), "judgements": _rows(files, _judgements)}


def _rows(files: dict[str, Path], make: Make) -> Iterator[RawRow]:
    for split, path in files.items():
        for row in read_file(path):
            choice = None if row.values is None else _choice(row.values, f"{split}-{row.line}", whole(files, split))
            if row.values is None:
                yield row
            elif choice is None:
                expected = "a query, titles, and one of them as the span"
                yield bad_row(row.file, row.line, expected, repr(row.values)[:60])
            else:
                yield from (RawRow(row.file, row.line, values) for values in make(choice))


def _choice(values: dict[str, Any], name: str, split: str | None) -> Choice | None:
    query, found, titles = str(values.get("sentences")).partition(TITLES)
    spans = values.get("spans") or []
    cut = [title.strip() for title in titles.removesuffix(".").split(", ")]
    fits = str(spans[0].get("term")).strip() if len(spans) == 1 else ""
    known = found and cut.count(fits) == 1
    return Choice(name, query.removeprefix(QUERY).strip(), cut, fits, split) if known else None


def _products(choice: Choice) -> Iterator[dict[str, Any]]:
    for number, title in enumerate(choice.titles):
        yield {"item_id": f"{choice.name}-{number}", "title": title}


def _judgements(choice: Choice) -> Iterator[dict[str, Any]]:
    for number, title in enumerate(choice.titles):
        judged = {"query": choice.query, "item_id": f"{choice.name}-{number}", "label": int(title == choice.fits)}
        yield {**judged, "split": choice.split}
