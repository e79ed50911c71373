"""WANDS, Wayfair's product search (Chen et al. 2022): queries with products judged exact, partial, irrelevant.

Files: `product.csv`, `query.csv`, `label.csv`, with tabs between the cells (or .gz).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow, bad_row
from shopguide.records.formats import open_members, read_tsv
from shopguide.records.public.published import existing, mapped

LABELS = ("Exact", "Partial", "Irrelevant")


def sources(root: Path) -> list[Path]:
    """The three published files."""
    return [existing(root, f"{name}.csv*")[0] for name in ("product", "query", "label")]


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Products with category and features, and judgements Exact, Partial, Irrelevant."""
    products, queries, labels = sources(root)
    return {"products": mapped(_rows(products), _product), "judgements": _judgements(queries, labels)}


def _rows(path: Path) -> Iterator[RawRow]:
    for file, name in open_members(path):
        yield from read_tsv(file, name)


def _product(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "item_id": values.get("product_id"),
        "title": values.get("product_name"),
        "description": values.get("product_description"),
        "category": "/".join(level.strip() for level in (values.get("category hierarchy") or "").split("/")),
        "attributes": _features(values.get("product_features") or ""),
    }


def _features(text: str) -> dict[str, list[str]]:
    """`name : value|name:value` → name → values, without doubles."""
    named: dict[str, list[str]] = {}
    for pair in text.split("|"):
        name, _, value = (part.strip() for part in pair.partition(":"))
        if name and value and value not in named.setdefault(name, []):
            named[name].append(value)
    return {name: values for name, values in named.items() if values}


def _judgements(queries: Path, labels: Path) -> Iterator[RawRow]:
    words: dict[str, str] = {}
    for row in _rows(queries):
        if row.values is None:
            yield row
        else:
            words[str(row.values.get("query_id"))] = str(row.values.get("query") or "")
    for row in _rows(labels):
        values = row.values
        if values is None:
            yield row
            continue
        query, label = values.get("query_id"), values.get("label")
        if label not in LABELS:
            yield bad_row(row.file, row.line, " or ".join(LABELS), repr(label), "label")
        elif query not in words:
            yield bad_row(row.file, row.line, "a query of query.csv", repr(query), "query_id")
        else:
            yield RawRow(
                row.file, row.line, {"query": words[query], "item_id": values.get("product_id"), "label": label}
            )
