"""Bitext customer support: utterances to a shop's service, with their intents (27) and slots.

Files: `train.csv`, `dev.csv`, `test.csv` (or .gz), those that are there; the file's name is the split. The utterances
are made from templates: many of the held-out ones stand nearly word for word in the training file.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow
from shopguide.records.formats import read_file
from shopguide.records.public.published import existing, mapped
from shopguide.records.schema import SPLITS


def sources(root: Path) -> list[Path]:
    """The published files that are there, training first."""
    found = [path for split in SPLITS for path in sorted(root.glob(f"{split}.csv*"))[:1]]
    return found or existing(root, "train.csv*")


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Dialogues of a question alone, with its intent."""
    return {"dialogues": chain.from_iterable(_utterances(path) for path in sources(root))}


def _utterances(path: Path) -> Iterator[RawRow]:
    split = path.name.partition(".")[0]
    yield from mapped(read_file(path), lambda values: _dialogue(values, split))


def _dialogue(values: dict[str, Any], split: str) -> dict[str, Any]:
    return {"question": values.get("utterance"), "intent": values.get("intent"), "split": split}
