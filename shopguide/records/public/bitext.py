"""Bitext customer support: utterances to a shop's service, with their intents (27) and slots.

Files: `train.csv`, `dev.csv`, `test.csv` (or .gz), those that are there; the file's name is the split. The utterances
are made from templates: many of the held-out ones stand nearly word for word in the training file.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow
from shopguide.records.formats import read_file
from shopguide.records.public.published import of_splits

PATTERN = "{}.csv"


def sources(root: Path) -> list[Path]:
    """The published files that are there, training first."""
    return list(of_splits(root, PATTERN).values())


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Dialogues of a question alone, with its intent; annotations of the same utterances with their slots."""
    files = of_splits(root, PATTERN)
    return {"dialogues": _rows(files, _dialogue), "annotations": _rows(files, _annotation)}


def _rows(files: dict[str, Path], make: Callable[[dict[str, Any], str], dict[str, Any]]) -> Iterator[RawRow]:
    for split, path in files.items():
        for row in read_file(path):
            yield row if row.values is None else RawRow(row.file, row.line, make(row.values, split))


def _annotation(values: dict[str, Any], split: str) -> dict[str, Any]:
    text, label = values.get("utterance"), values.get("entity_type")
    spans = [] if not label else [{"start": _number(values, "start"), "end": _number(values, "end"), "label": label}]
    return {"text": text, "spans": spans, "split": split}


def _number(values: dict[str, Any], name: str) -> Any:
    """Digits as a number; what is something else is told by the table's own check."""
    cell = values.get(f"{name}_offset")
    return int(cell) if isinstance(cell, str) and cell.isdecimal() else cell


def _dialogue(values: dict[str, Any], split: str) -> dict[str, Any]:
    return {"question": values.get("utterance"), "intent": values.get("intent"), "split": split}
