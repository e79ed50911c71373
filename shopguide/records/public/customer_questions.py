"""Customer questions of AliExpress (CIKM AnalytiCup 2018): two questions mean the same (1) or not (0).

File: `train.tsv` (or .gz) without a header: the first question in English and in Spanish, the second one likewise, and
the label. Option `language`: `en` or `es`.
"""

from collections.abc import Iterator
from pathlib import Path

from shopguide.errors import DataError
from shopguide.records.faults import RawRow, bad_row
from shopguide.records.formats import open_members
from shopguide.records.public.published import existing

COLUMNS = {"en": (0, 2), "es": (1, 3)}


def sources(root: Path, language: str = "en") -> list[Path]:
    """The published file.

    Raises:
        DataError: another language is asked for, or the file is not there.
    """
    if language not in COLUMNS:
        raise DataError(f"data.options.language={language}: expected one of {', '.join(COLUMNS)}")
    return existing(root, "train.tsv*")[:1]


def read(root: Path, language: str = "en") -> dict[str, Iterator[RawRow]]:
    """Pairs of questions."""
    return {"pairs": _pairs(sources(root, language)[0], *COLUMNS[language])}


def _pairs(path: Path, first: int, second: int) -> Iterator[RawRow]:
    for file, name in open_members(path):
        for number, line in enumerate(file, 1):
            cells = line.decode("utf-8", "replace").rstrip("\r\n").split("\t")
            if len(cells) != 5:
                yield bad_row(name, number, "four questions and a label, by tabs", f"{len(cells)} cells")
                continue
            yield RawRow(name, number, {"text": cells[first], "text_pair": cells[second], "label": cells[4].strip()})
