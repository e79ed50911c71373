"""CrowdFlower search results relevance (Kaggle 2015): queries with products and the median grade of the raters, 1 to 4.

File: `train.csv.gz` (or `train.csv`). A product that several rows show with the same title and description is one
product, named by the first of those rows.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow
from shopguide.records.formats import read_file
from shopguide.records.public.published import existing

ShownAs = tuple[str | None, str | None]


def sources(root: Path) -> list[Path]:
    """The published training file."""
    return existing(root, "train.csv*")[:1]


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Products, and judgements whose label is the grade."""
    (path,) = sources(root)
    return {"products": _products(path), "judgements": _judgements(path)}


def _named(path: Path) -> Iterator[tuple[RawRow, str, bool]]:
    """Each row, the id of its product, and whether the product is new."""
    known: dict[ShownAs, str] = {}
    for row in read_file(path):
        values = row.values or {}
        shown = (values.get("product_title"), values.get("product_description"))
        new = row.values is not None and shown not in known
        yield row, known.setdefault(shown, f"C{values.get('id')}") if row.values is not None else "", new


def _products(path: Path) -> Iterator[RawRow]:
    for row, item, new in _named(path):
        if row.values is None:
            yield row
        elif new:
            yield RawRow(row.file, row.line, _product(row.values, item))


def _product(values: dict[str, Any], item: str) -> dict[str, Any]:
    return {
        "item_id": item,
        "title": values.get("product_title"),
        "description": values.get("product_description"),
    }


def _judgements(path: Path) -> Iterator[RawRow]:
    for row, item, _ in _named(path):
        if row.values is not None:
            judged = {"query": row.values.get("query"), "item_id": item, "label": row.values.get("median_relevance")}
            yield RawRow(row.file, row.line, judged)
