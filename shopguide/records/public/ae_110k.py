"""AE-110K, as ExtractGPT uses it: AliExpress titles with the values of asked attributes (Xu et al. 2019).

Files: `train.jsonl` (or .gz; another by `data.options.train=…`) and, where it is there, `test.jsonl`.
Without both, the split is drawn.
"""

from collections.abc import Iterator
from pathlib import Path

from shopguide.records.faults import RawRow
from shopguide.records.public.asked_attributes import asked_files, asked_products


def sources(root: Path, train: str = "train") -> list[Path]:
    """The published files that are there, training first."""
    return list(asked_files(root, train).values())


def read(root: Path, train: str = "train") -> dict[str, Iterator[RawRow]]:
    """Products whose attributes are the asked ones; `n/a` where the text does not say."""
    return {"products": asked_products(asked_files(root, train))}
