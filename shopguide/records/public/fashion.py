"""fashion-product-images-small: titles of fashion products with their attributes, and small pictures.

File: `styles.csv` (or .gz); pictures under `images/<id>.jpg`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow
from shopguide.records.formats import read_file
from shopguide.records.public.published import existing, mapped, present

ATTRIBUTES = ("articleType", "baseColour", "gender", "usage", "season", "year")
LEVELS = ("masterCategory", "subCategory", "articleType")


def sources(root: Path) -> list[Path]:
    """The published file."""
    return existing(root, "styles.csv*")[:1]


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Products with attributes articleType, baseColour, gender, usage, season, year."""
    return {"products": mapped(read_file(sources(root)[0]), _product)}


def _product(values: dict[str, Any]) -> dict[str, Any]:
    number = values.get("id")
    return {
        "item_id": number,
        "title": values.get("productDisplayName"),
        "category": "/".join(values[level].replace("/", "-") for level in LEVELS if values.get(level)),
        "attributes": present({name: values.get(name) for name in ATTRIBUTES}),
        "image": f"images/{number}.jpg",
    }
