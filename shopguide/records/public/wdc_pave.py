"""WDC PAVE: web offers of five categories with the values of asked attributes (Brinkmann et al. 2024).

Files: `train_large.jsonl` (or .gz; another by `data.options.train=…`) and, where it is there, `test.jsonl`.
Without both, the split is drawn.
"""

from collections.abc import Iterator
from pathlib import Path

from shopguide.records.faults import RawRow
from shopguide.records.public.asked_attributes import asked_files, asked_products


def sources(root: Path, train: str = "train_large") -> list[Path]:
    """The published files that are there, training first."""
    return list(asked_files(root, train).values())


def read(root: Path, train: str = "train_large") -> dict[str, Iterator[RawRow]]:
    """Products whose attributes are the asked ones; `n/a` where the text does not say."""
    return {"products": asked_products(asked_files(root, train))}
