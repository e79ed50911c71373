"""Small shops for tests, written as a user's files."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from shopguide.records.tables import Shop, load_shop

PRODUCTS = [
    {
        "item_id": "I1",
        "title": "Trail boot",
        "category": "shoes/boots",
        "attributes": {"brand": "Peak", "colour": "red"},
    },
    {"item_id": "I2", "title": "登山鞋 防水", "category": "shoes/boots", "attributes": {"brand": "云峰"}, "price": 399},
    {"item_id": "I3", "title": "Phone case", "description": "Fits all.", "category": "phones/cases"},
]
BEHAVIOURS = [
    {"user_id": "U1", "query": "手机壳", "viewed_items": ["I1", "I3"], "purchased_items": ["I3"], "timestamp": 10},
    {"user_id": "U2", "query": "boots", "viewed_items": ["I2"], "purchased_items": [], "timestamp": 20},
]


def write_lines(path: Path, rows: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def write_shop(folder: Path, products: Iterable[Any] = PRODUCTS, behaviours: Sequence[Any] = BEHAVIOURS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_lines(folder / "products.jsonl", products)
    if behaviours:
        write_lines(folder / "behaviours.jsonl", behaviours)
    return folder


def load(folder: Path, **settings: Any) -> Shop:
    return load_shop(settings.pop("reader", "files"), folder, cache_dir=folder.parent / "cache", **settings)
