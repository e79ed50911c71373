"""EPRSTMT of FewCLUE (zh): shop reviews with their sentiment, 32 of them to learn from (Xu et al. 2021).

Files: `train_<fold>.json` and `dev_<fold>.json` (fold 0 to 4, or few_all), `test_public.json`, `unlabeled.json` (or
.gz), those that are there, a JSON object a line. A review is read as a product card: its text is the title, its
sentiment an attribute. The unlabelled ones are training text for pretraining.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow
from shopguide.records.public.published import existing, numbered, present


def sources(root: Path, fold: str | int = 0) -> list[Path]:
    """The published files that are there, training first."""
    return [path for path, _ in _files(root, fold)]


def read(root: Path, fold: str | int = 0) -> dict[str, Iterator[RawRow]]:
    """Products, one a review."""
    return {"products": chain.from_iterable(numbered(path, _product, split) for path, split in _files(root, fold))}


def _files(root: Path, fold: str | int) -> list[tuple[Path, str]]:
    names = ((f"train_{fold}", "train"), (f"dev_{fold}", "dev"), ("test_public", "test"), ("unlabeled", "train"))
    found = [(path, split) for name, split in names for path in sorted(root.glob(f"{name}.json*"))[:1]]
    return found or [(existing(root, f"train_{fold}.json*")[0], "train")]


def _product(values: dict[str, Any], item: str, split: str | None) -> dict[str, Any]:
    return {
        "item_id": item,
        "title": values.get("sentence"),
        "attributes": present({"sentiment": values.get("label")}),
        "split": split,
    }
