"""The six tables of a shop: fields, types, and how a raw value becomes a stored one.

Text is stored stripped; a missing text is null, a missing list empty. Attributes become a list of (name, value) pairs
of text. Unknown fields are ignored, and counted. Annotated text is stored as it is: its spans count characters.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pyarrow as pa

VERSION = 8
"""Raise it when the same raw row would be stored otherwise: it is part of the cache's key."""
MAX_ROW_BYTES = 4 << 20
LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
SPLITS = ("train", "dev", "test")


class BadValueError(ValueError):
    """A value is not what its field holds.

    Attributes:
        expected: in words.
        found: in words.
    """

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected, self.found = expected, found


@dataclass(frozen=True)
class Field:
    """One column of a table."""

    name: str
    type: Any
    convert: Callable[[Any], Any]
    required: bool = False


def shown(value: object) -> str:
    """A value in a message: short, with its kind."""
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '…'} ({type(value).__name__})"


def text(value: Any) -> str | None:
    """Text; whole numbers are taken for their digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise BadValueError("text", shown(value))
    if "\x00" in value:
        raise BadValueError("text without NUL bytes", shown(value))
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadValueError("text in UTF-8", shown(value)) from None
    return value.strip() or None


def number(value: Any) -> float | None:
    """A finite number; digits in text are taken for one."""
    if isinstance(value, str):
        if not value.strip():
            return None
        try:
            value = float(value)
        except ValueError:
            raise BadValueError("a number", shown(value)) from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadValueError("a number", shown(value))
    if not math.isfinite(value):
        raise BadValueError("a finite number", shown(value))
    return float(value)


def texts(value: Any) -> list[str]:
    """A list of non-empty texts."""
    if not isinstance(value, list | tuple):
        raise BadValueError("a list of texts", shown(value))
    found = [text(item) for item in value]
    if None in found:
        raise BadValueError("a list of non-empty texts", shown(value))
    return found  # type: ignore[return-value]


def pairs(value: Any) -> list[dict[str, str]]:
    """Attributes: a mapping from names to texts, numbers or booleans, or lists of them; empty values are left out."""
    if not isinstance(value, Mapping):
        raise BadValueError("an object of attributes", shown(value))
    found = []
    for name, several in value.items():
        for raw in several if isinstance(several, list | tuple) else [several]:
            if kept := _attribute_value(raw):
                found.append({"name": str(text(name)), "value": kept})
    return found


def _attribute_value(raw: Any) -> str | None:
    if raw is None:
        return None
    if isinstance(raw, bool):
        return str(raw).lower()
    return f"{number(raw):g}" if isinstance(raw, float) else text(raw)


def raw_text(value: Any) -> str | None:
    """Text with its blanks, since others count its characters; None where it holds nothing else."""
    return str(value) if text(value) is not None else None


def spans(value: Any) -> list[dict[str, Any]]:
    """Marked stretches of a text: objects with `start`, `end` (characters; the end is not part) and `label`.

    They are stored in their order in the text, and do not overlap.
    """
    if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping) for item in value):
        raise BadValueError("a list of objects with start, end and label", shown(value))
    found: list[dict[str, Any]] = []
    for item in value:
        start, end, name = item.get("start"), item.get("end"), text(item.get("label") or "")
        if type(start) is not int or type(end) is not int or not 0 <= start < end or name is None:
            raise BadValueError("start and end (whole numbers, 0 ≤ start < end) and label", shown(dict(item)))
        found.append({"start": start, "end": end, "label": name})
    found.sort(key=lambda span: span["start"])
    for one, following in pairwise(found):
        if following["start"] < one["end"]:
            raise BadValueError("spans that do not overlap", f"{shown(one)} and {shown(following)}")
    return found


def price(value: Any) -> float | None:
    """What a product costs: a number that is not below 0."""
    try:
        found = number(value)
    except BadValueError as error:
        raise BadValueError(f"{error.expected}, as 1299.5: no currency, no comma", error.found) from None
    if found is not None and found < 0:
        raise BadValueError("a price that is not below 0", shown(value))
    return found


def label(value: Any) -> str | None:
    """A judgement's label: text, or a number in its shortest form."""
    if isinstance(value, float):
        return f"{number(value):.10g}"
    return text(value)


def moment(value: Any) -> float | None:
    """Unix seconds from 1970 to 2100, or ISO 8601 (without a zone: UTC) → Unix seconds."""
    seconds = _seconds(value)
    if seconds is not None and not 0 <= seconds < LATEST:
        raise BadValueError("Unix seconds (not milliseconds) from 1970 to 2100", shown(value))
    return seconds


def _seconds(value: Any) -> float | None:
    if isinstance(value, str):
        if not value.strip():
            return None
        try:
            return number(value)
        except BadValueError:
            pass
        try:
            when = datetime.fromisoformat(value.strip())
        except ValueError:
            raise BadValueError("Unix seconds or an ISO 8601 time", shown(value)) from None
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    return number(value)


def split_name(value: Any) -> str | None:
    """One of train, dev, test."""
    found = text(value)
    if found is not None and found not in SPLITS:
        raise BadValueError("train, dev or test", shown(value))
    return found


STRING, NUMBER, STRINGS = pa.string(), pa.float64(), pa.list_(pa.string())
SPANS = pa.list_(pa.struct([("start", pa.int64()), ("end", pa.int64()), ("label", pa.string())]))
PAIRS = pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())]))


def _text(name: str, required: bool = False) -> Field:
    return Field(name, STRING, text, required)


SPLIT = Field("split", STRING, split_name)
TABLES: dict[str, tuple[Field, ...]] = {
    "products": (
        _text("item_id", required=True),
        _text("title", required=True),
        _text("description"),
        _text("category"),
        Field("attributes", PAIRS, pairs),
        Field("price", NUMBER, price),
        _text("image"),
        Field("reviews", STRINGS, texts),
        SPLIT,
    ),
    "behaviours": (
        _text("query"),
        _text("user_id"),
        Field("viewed_items", STRINGS, texts),
        Field("purchased_items", STRINGS, texts),
        Field("timestamp", NUMBER, moment),
        SPLIT,
    ),
    "judgements": (
        _text("query", required=True),
        _text("item_id", required=True),
        Field("label", STRING, label, required=True),
        SPLIT,
    ),
    "dialogues": (
        _text("question", required=True),
        _text("answer"),
        _text("item_id"),
        _text("intent"),
        SPLIT,
    ),
    "pairs": (
        _text("text", required=True),
        _text("text_pair", required=True),
        Field("label", STRING, label, required=True),
        SPLIT,
    ),
    "annotations": (
        Field("text", STRING, raw_text, required=True),
        Field("spans", SPANS, spans),
        SPLIT,
    ),
}
"""Table → its columns, in order."""


def arrow_schema(table: str) -> pa.Schema:
    """How a table is stored."""
    return pa.schema([(field.name, field.type) for field in TABLES[table]])
