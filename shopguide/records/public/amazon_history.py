"""Histories of Amazon's shoppers and what they bought next, in the files of MiniOneRec (Kong et al. 2025).

Files: `<shop>.item.json` (number → title, description, brand, categories) and `train.csv`, `valid.csv`, `test.csv` (all
also .gz), those that are there: the histories as lists of numbers, the latest last. They are in the order of time; the
published split stands, and without `train.csv` the rows of `valid.csv` are those to learn from.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow, bad_row
from shopguide.records.formats import open_members, read_file
from shopguide.records.public.published import existing, present

ITEMS = "*.item.json*"
FILES = {"train": "train", "valid": "dev", "test": "test"}


def sources(root: Path) -> list[Path]:
    """The products, and the histories that are there."""
    return [existing(root, ITEMS)[0], *_histories(root)]


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Products, and behaviours without a query: the history as viewed, the next product as bought."""
    items, *_ = sources(root)
    return {
        "products": _products(items),
        "behaviours": (_behaviour(row, split) for path, split in _histories(root).items() for row in read_file(path)),
    }


def _histories(root: Path) -> dict[Path, str | None]:
    found = {path: split for name, split in FILES.items() for path in sorted(root.glob(f"{name}.csv*"))[:1]}
    if not found:
        existing(root, "valid.csv*")
    learnt = "train" in found.values()
    return {path: split if learnt or split == "test" else None for path, split in found.items()}


def _products(path: Path) -> Iterator[RawRow]:
    for file, name in open_members(path):
        try:
            items = json.load(file)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            yield bad_row(name, 0, "a JSON object of products", f"broken JSON ({error})")
            return
        if not isinstance(items, dict):
            yield bad_row(name, 0, "a JSON object of products", f"a {type(items).__name__}")
            return
        for line, (number, item) in enumerate(items.items(), 1):
            if isinstance(item, dict):
                yield RawRow(name, line, _product(number, item))
            else:
                yield bad_row(name, line, "an object with a title", f"a {type(item).__name__}")


def _product(number: str, item: dict[str, Any]) -> dict[str, Any]:
    described = item.get("description") or ""
    return {
        "item_id": number,
        "title": item.get("title") or item.get("brand"),
        "description": " ".join(described) if isinstance(described, list) else str(described).strip("[]'\""),
        "category": item.get("categories") or None,
        "attributes": present({"brand": item.get("brand")}),
    }


def _behaviour(row: RawRow, split: str | None) -> RawRow:
    if row.values is None:
        return row
    said, bought = row.values.get("history_item_id") or "[]", row.values.get("item_id")
    try:
        before = json.loads(said)
    except json.JSONDecodeError:
        return bad_row(row.file, row.line, "a list of numbers", repr(said[:40]), "history_item_id")
    made = {"user_id": row.values.get("user_id"), "viewed_items": before, "purchased_items": [bought] if bought else []}
    return RawRow(row.file, row.line, {**made, "split": split})
