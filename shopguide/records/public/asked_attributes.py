"""What the readers of WDC PAVE, AE-110K and OA-Mine share: offers with asked attributes and the values that are right.

The layout is that of ExtractGPT (Brinkmann et al. 2023): a JSON object a line, `target_scores` from an attribute to its
values, `n/a` where the text does not say.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow
from shopguide.records.public.published import existing, numbered, whole


def asked_files(root: Path, train: str) -> dict[str, Path]:
    """Split → its file: the training file by that name, and `test.jsonl` where it is there; one of them at least."""
    names = {"train": train, "test": "test"}
    found = {split: sorted(root.glob(f"{name}.jsonl*")) for split, name in names.items()}
    files = {split: paths[0] for split, paths in found.items() if paths}
    return files or {"train": existing(root, f"{train}.jsonl*")[0]}


def asked_products(files: dict[str, Path]) -> Iterator[RawRow]:
    """Products whose attributes are the asked ones."""
    return chain.from_iterable(numbered(path, _product, whole(files, split)) for split, path in files.items())


def _product(values: dict[str, Any], item: str, split: str | None) -> dict[str, Any]:
    asked = values.get("target_scores")
    return {
        "item_id": item,
        "title": values.get("input_title") or values.get("input"),
        "description": values.get("input_description"),
        "category": values.get("category"),
        "attributes": {name: list(right) for name, right in asked.items()} if isinstance(asked, dict) else asked,
        "split": split,
    }
