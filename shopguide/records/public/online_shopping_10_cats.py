"""online_shopping_10_cats: Chinese shop reviews in ten categories, with sentiment (1 good, 0 bad).

File: `online_shopping_10_cats.csv` (or .gz). A review is read as a product card: its text is the title, its category
the category, its sentiment an attribute. A review without text keeps its place under a title that says so.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow
from shopguide.records.formats import read_file
from shopguide.records.public.published import existing

NO_TEXT = "（无评论）"


def sources(root: Path) -> list[Path]:
    """The published file."""
    return existing(root, "online_shopping_10_cats.csv*")[:1]


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Products, one a review."""
    return {"products": _reviews(sources(root)[0])}


def _reviews(path: Path) -> Iterator[RawRow]:
    for number, row in enumerate(read_file(path), 1):
        yield row if row.values is None else RawRow(row.file, row.line, _product(row.values, number))


def _product(values: dict[str, Any], number: int) -> dict[str, Any]:
    text = values.get("review", "").replace("\ufeff", "").strip()
    return {
        "item_id": f"R{number:06}",
        "title": text or NO_TEXT,
        "category": values.get("cat"),
        "attributes": {"sentiment": values.get("label")},
    }
