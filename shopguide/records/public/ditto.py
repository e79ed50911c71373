"""Pairs of offers in the format of Ditto (Li et al. 2020): the same product (1) or not (0).

Files: `train.txt`, `valid.txt`, `test.txt` (or .gz), those that are there: offer, tab, offer, tab, label; an offer is
`COL name VAL value COL …`. Its values are joined by ` | `. Abt-Buy and Amazon-Google are published so.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from shopguide.records.faults import RawRow, bad_row
from shopguide.records.formats import open_members
from shopguide.records.public.published import existing

FILES = {"train": "train", "valid": "dev", "test": "test"}
SEPARATOR = " | "
COLUMN = re.compile(r"COL (\S+) VAL ")


def sources(root: Path) -> list[Path]:
    """The published files that are there, training first."""
    return list(_files(root))


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Pairs with their published split."""
    files = _files(root)
    return {"pairs": (row for path, split in files.items() for row in _pairs(path, split))}


def _files(root: Path) -> dict[Path, str]:
    """File → split; of a single file the split is to be drawn, unless it is the training file."""
    found = {path: split for name, split in FILES.items() for path in sorted(root.glob(f"{name}.txt*"))[:1]}
    return found or {existing(root, "train.txt*")[0]: "train"}


def _pairs(path: Path, split: str) -> Iterator[RawRow]:
    for file, name in open_members(path):
        for number, line in enumerate(file, 1):
            cells = line.decode("utf-8", "replace").rstrip("\n").split("\t")
            if len(cells) != 3 or not all(cell.startswith("COL ") for cell in cells[:2]):
                yield bad_row(name, number, "two offers (COL name VAL value …) and a label, by tabs", repr(cells)[:60])
                continue
            one, other = map(_values, cells[:2])
            yield RawRow(name, number, {"text": one, "text_pair": other, "label": cells[2].strip(), "split": split})


def _values(offer: str) -> str:
    _, *parts = COLUMN.split(offer)
    return SEPARATOR.join(value for part in parts[1::2] if (value := part.strip()))
