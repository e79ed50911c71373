"""OpenBG titles and attributes (zh): does a card of attributes fit the title (Deng et al. 2023).

Files: `train.json`, `dev.json`, `test.json` (or .gz), those that are there, a JSON object a line. Without a training
file, the split of the dev file is drawn. The title is what is asked, the card of attributes is the product:
`tasks=[relevance]`.
"""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow
from shopguide.records.public.published import Make, numbered, of_splits, openbg_attributes, whole

PATTERN = "{}.json"
PAIR = re.compile(r"Title: (?P<title>.*), Att[a-z]+: (?P<attributes>.*)", re.DOTALL)


def sources(root: Path) -> list[Path]:
    """The published files that are there, training first."""
    return list(of_splits(root, PATTERN).values())


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Products that are cards of attributes, and judgements of the titles on them."""
    files = of_splits(root, PATTERN)
    return {"products": _rows(files, _product), "judgements": _rows(files, _judgement)}


def _rows(files: dict[str, Path], make: Make) -> Iterator[RawRow]:
    return chain.from_iterable(numbered(path, make, whole(files, split)) for split, path in files.items())


def _parts(values: dict[str, Any]) -> tuple[str, str]:
    found = PAIR.fullmatch(str(values.get("sentences", "")))
    return (found["title"], found["attributes"]) if found else ("", "")


def _product(values: dict[str, Any], item: str, split: str | None) -> dict[str, Any]:
    named = openbg_attributes(_parts(values)[1])
    card = "; ".join(f"{name}: {', '.join(several)}" for name, several in named.items())
    return {"item_id": item, "title": card, "attributes": named, "split": split}


def _judgement(values: dict[str, Any], item: str, split: str | None) -> dict[str, Any]:
    label = next(iter((values.get("labels") or {}).get("en", [])), None)
    return {"query": _parts(values)[0], "item_id": item, "label": label, "split": split}
