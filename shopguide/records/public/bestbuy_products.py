"""Best Buy products: names, makers and descriptions of 48,194 products.

File: `products.tgz` with `products.csv`; empty cells hold a blank, quotes are escaped by a backslash. A product code
occurs more than once: the row's number makes the id its own.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow, bad_row
from shopguide.records.formats import read_csv
from shopguide.records.public.published import existing, present

DIALECT = {"escapechar": "\\", "doublequote": False, "skipinitialspace": True}


def sources(root: Path) -> list[Path]:
    """The published archive."""
    return existing(root, "products.tgz")


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Products with brand and description."""
    return {"products": _products(sources(root)[0])}


def _products(path: Path) -> Iterator[RawRow]:
    try:
        with tarfile.open(path) as archive:
            member = archive.extractfile("products.csv")
            assert member is not None
            for number, row in enumerate(read_csv(member, f"{path}!products.csv", **DIALECT), 1):
                yield row if row.values is None else RawRow(row.file, row.line, _product(row.values, number))
    except (tarfile.TarError, KeyError, OSError, EOFError) as error:
        yield bad_row(str(path), 0, "an archive with products.csv", f"{type(error).__name__}: {error}")


def _product(values: dict[str, Any], number: int) -> dict[str, Any]:
    cells = {name: value.strip() for name, value in values.items()}
    texts = [cells[name] for name in ("short_description", "long_description") if cells.get(name)]
    return {
        "item_id": f"{cells.get('upc', '')}-{number}",
        "title": cells.get("name"),
        "description": " ".join(dict.fromkeys(texts)),
        "attributes": present({"brand": cells.get("manufacturer")}),
    }
