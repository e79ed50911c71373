"""Icecat products as Solr documents (the Chorus project's): 19,406 products with some 1,800 attributes.

Files: `*.json.zip`. Fields `attr_t_…`, `attr_n_…` and `attr_b_…` are attributes (text, number, boolean).
"""

import html
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow
from shopguide.records.formats import read_file
from shopguide.records.public.published import existing, mapped, present

ATTRIBUTE = re.compile(r"attr_[tnb]_")
MARKUP = re.compile(r"<[^>]+>")


def sources(root: Path) -> list[Path]:
    """The published archives."""
    return existing(root, "*.json.zip")


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Products with attributes and prices."""
    return {"products": mapped(chain.from_iterable(map(read_file, sources(root))), _product)}


def _product(values: dict[str, Any]) -> dict[str, Any]:
    attributes = {ATTRIBUTE.sub("", key, count=1): value for key, value in values.items() if ATTRIBUTE.match(key)}
    title = values.get("title") or values.get("name")
    return {
        "item_id": values.get("id"),
        "title": html.unescape(str(title)) if title else None,
        "description": _plain(values.get("short_description")),
        "attributes": present({"brand": values.get("supplier")} | attributes),
        "price": values.get("price"),
        "image": values.get("img_500x500"),
    }


def _plain(text: str | None) -> str | None:
    return " ".join(html.unescape(MARKUP.sub(" ", text)).split()) if text else None
