"""MWPD 2020, task 2: product offers of the web with their GS1 GPC classes at three levels (Zhang et al. 2020).

Files: `task2_train_val_with_labels.zip` (train.json, validation.json), `task2_testset_with_labels.zip`, or both. A
product of the training file is `train`, of the validation file `dev`, of the test file `test`. Ids are numbered anew in
each file, so the split is part of the `item_id`. An offer without a name is titled by its description.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow
from shopguide.records.formats import read_file
from shopguide.records.public.published import existing, mapped, present

LEVELS = ("lvl1", "lvl2", "lvl3")
SPLITS = {"train": "train", "validation": "dev", "test": "test"}
UNTITLED = "(untitled)"


def sources(root: Path) -> list[Path]:
    """The published archives that are there, training first."""
    return existing(root, "task2_*_with_labels.zip")[::-1]


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Products with attributes lvl1, lvl2, lvl3."""
    return {"products": chain.from_iterable(_products(path) for path in sources(root))}


def _products(path: Path) -> Iterator[RawRow]:
    for row in read_file(path):
        member = row.file.rpartition("!")[2]
        split = SPLITS["validation" if member.startswith("val") else "train" if member.startswith("train") else "test"]
        yield from mapped([row], lambda values, split=split: _product(values, split))


def _product(values: dict[str, Any], split: str) -> dict[str, Any]:
    levels = {level: values.get(level) for level in LEVELS}
    more = {"category_text": values.get("CategoryText"), "url": values.get("URL")}
    title, description = str(values.get("Name") or "").strip(), str(values.get("Description") or "").strip()
    return {
        "item_id": f"{split}-{values.get('ID')}",
        "title": title or description or UNTITLED,
        "description": description,
        "category": "/".join(str(level).replace("/", "-") for level in levels.values() if level),
        "attributes": present(levels | more),
        "split": split,
    }
