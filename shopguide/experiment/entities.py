"""The phrases that are masked as one word: from the shop's own catalogue and annotations, or from lists."""

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

from shopguide.config import CATALOGUE
from shopguide.errors import DataError
from shopguide.experiment.prepare import Material
from shopguide.records.tables import rows_of

SHORTEST = 2
"""Characters."""


def entities(places: Sequence[str], material: Material) -> set[str]:
    """Phrases in lower case.

    Args:
        places: `catalogue`, or files with a phrase a line (`.gz` too).
        material: the shop; only its training rows are read.

    Raises:
        DataError: a file is not text in UTF-8.
    """
    found: set[str] = set()
    for place in places:
        phrases = _of_catalogue(material) if place == CATALOGUE else _lines(Path(place).expanduser())
        found |= {phrase.strip().casefold() for phrase in phrases}
    return {phrase for phrase in found if len(phrase) >= SHORTEST and not phrase.isnumeric()}


def _of_catalogue(material: Material) -> Iterator[str]:
    shop, parts = material.shop, material.parts
    for product, split in zip(rows_of(shop.products), parts.products, strict=True):
        if split == "train":
            yield from (pair["value"] for pair in product["attributes"])
            yield from (product["category"] or "").split("/")
    for annotation, split in zip(rows_of(shop.annotations), parts.annotations, strict=True):
        if split == "train":
            yield from (annotation["text"][span["start"] : span["end"]] for span in annotation["spans"])


def _lines(path: Path) -> list[str]:
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            return [str(line) for line in file]
    except (UnicodeDecodeError, OSError) as error:
        raise DataError(f"pretrain.masking.entities={path}: expected lines of text in UTF-8, found {error}") from error
