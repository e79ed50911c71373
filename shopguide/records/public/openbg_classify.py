"""OpenBG product classification (zh): titles and attributes with a coarse and a fine class (Deng et al. 2023).

Files: `train.json`, `dev.json`, `test.json` (or .gz), those that are there, a JSON object a line. Without a training
file, the split of the dev file is drawn. The category is `coarse/fine`.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow
from shopguide.records.public.published import numbered, of_splits, openbg_attributes, whole

PATTERN = "{}.json"


def sources(root: Path) -> list[Path]:
    """The published files that are there, training first."""
    return list(of_splits(root, PATTERN).values())


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Products with attributes and category."""
    files = of_splits(root, PATTERN)
    rows = (numbered(path, _product, whole(files, split)) for split, path in files.items())
    return {"products": chain.from_iterable(rows)}


def _product(values: dict[str, Any], item: str, split: str | None) -> dict[str, Any]:
    title, _, attributes = str(values.get("sentences", "")).partition("\t")
    labels = values.get("labels") or {}
    levels = [label.replace("/", "-") for level in ("coarse", "fine") for label in labels.get(level, [])[:1]]
    return {
        "item_id": item,
        "title": title,
        "category": "/".join(levels),
        "attributes": openbg_attributes(attributes),
        "split": split,
    }
