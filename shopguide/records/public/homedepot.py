"""Home Depot product search relevance (Kaggle 2016): queries with products and the mean grade of the raters, 1 to 3.

Files: `train.csv.gz` (or `train.csv`), and `product_descriptions.csv` where it is there, as UTF-8 (the published files
are ISO-8859-1: `iconv -f ISO-8859-1 -t UTF-8`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow
from shopguide.records.formats import read_file
from shopguide.records.public.published import existing, mapped


def sources(root: Path) -> list[Path]:
    """The published training file, and that of descriptions where there is one."""
    return [*existing(root, "train.csv*")[:1], *sorted(root.glob("product_descriptions.csv*"))[:1]]


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Products, and judgements whose label is the mean grade."""
    train, *described = sources(root)
    return {"products": _products(train, described), "judgements": mapped(read_file(train), _judgement)}


def _products(train: Path, described: list[Path]) -> Iterator[RawRow]:
    """Each product once, at the first row that shows it."""
    words: dict[Any, Any] = {}
    for row in (row for path in described for row in read_file(path)):
        if row.values is None:
            yield row
        else:
            words[row.values.get("product_uid")] = row.values.get("product_description")
    known: set[Any] = set()
    for row in read_file(train):
        values = row.values
        if values is None:
            yield row
        elif values.get("product_uid") not in known:
            known.add(values.get("product_uid"))
            item, title = values.get("product_uid"), values.get("product_title")
            yield RawRow(row.file, row.line, {"item_id": item, "title": title, "description": words.get(item)})


def _judgement(values: dict[str, Any]) -> dict[str, Any]:
    return {"query": values.get("search_term"), "item_id": values.get("product_uid"), "label": values.get("relevance")}
