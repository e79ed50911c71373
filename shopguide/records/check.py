"""One raw row → one stored row, or the fault that keeps it out."""

from collections import Counter
from typing import Any

from shopguide.records.faults import Fault, RawRow
from shopguide.records.schema import TABLES, BadValueError, Field, shown

REFERENCES = {
    "behaviours": ("viewed_items", "purchased_items"),
    "judgements": ("item_id",),
    "dialogues": ("item_id",),
}
"""Fields that name products."""
DEEDS = ("query", "viewed_items", "purchased_items")
"""Of a behaviour, which has one at least."""
LISTS = ("attributes", "reviews", "viewed_items", "purchased_items", "spans")
"""Fields that are empty where they are missing."""


class Checker:
    """Checks the rows of a shop, products first; remembers their ids."""

    def __init__(self) -> None:
        self.items: dict[str, str] = {}
        """item_id → where it was first seen."""
        self.refused: dict[str, str] = {}
        """item_id → where a product's row stands that has a fault."""
        self.ignored: Counter[str] = Counter()
        """`table.field` → rows with a field that is not stored."""

    def check(self, table: str, row: RawRow) -> dict[str, Any] | Fault:
        """The row as it is stored, or its first fault."""
        found = self._check(table, row)
        if isinstance(found, Fault) and table == "products" and row.values and row.values.get("item_id") is not None:
            self.refused[str(row.values["item_id"]).strip()] = f"{row.file}:{row.line}"
        return found

    def _check(self, table: str, row: RawRow) -> dict[str, Any] | Fault:
        if row.values is None:
            assert row.fault is not None
            return row.fault
        stored: dict[str, Any] = {}
        for field in TABLES[table]:
            try:
                stored[field.name] = _convert(field, row.values.get(field.name))
            except BadValueError as error:
                return Fault(row.file, row.line, field.name, error.expected, error.found)
        if len(row.values) > len(stored) or not row.values.keys() <= stored.keys():
            self.ignored.update(f"{table}.{name}" for name in row.values.keys() - stored.keys())
        fault = self._identity(table, row, stored) or self._references(table, row, stored)
        return fault or _marks(row, stored) or _deed(table, row, stored) or stored

    def _identity(self, table: str, row: RawRow, stored: dict[str, Any]) -> Fault | None:
        if table != "products":
            return None
        item = stored["item_id"]
        if item in self.items:
            return Fault(row.file, row.line, "item_id", "an id of its own", f"{item!r} again, as in {self.items[item]}")
        self.items[item] = f"{row.file}:{row.line}"
        return None

    def _references(self, table: str, row: RawRow, stored: dict[str, Any]) -> Fault | None:
        if not self.items:
            return None
        for name in REFERENCES.get(table, ()):
            value = stored[name]
            for item in value if isinstance(value, list) else [value]:
                if item is not None and item not in self.items:
                    return Fault(row.file, row.line, name, "the item_id of a product", self._unknown(item))
        return None

    def _unknown(self, item: str) -> str:
        if item in self.refused:
            return f"{item!r}, whose own row was refused ({self.refused[item]})"
        hint = " (several in one cell: I1|I2|I3)" if any(mark in item for mark in ",; ") else ""
        return f"{item!r}, which no product has{hint}"


def _marks(row: RawRow, stored: dict[str, Any]) -> Fault | None:
    """Spans that reach beyond their text, or hold nothing."""
    for span in stored.get("spans", ()):
        if span["end"] > (length := len(stored["text"])):
            return Fault(row.file, row.line, "spans", f"spans within the text ({length} characters)", shown(span))
        if not stored["text"][span["start"] : span["end"]].strip():
            return Fault(row.file, row.line, "spans", "spans of more than blanks", shown(span))
    return None


def _deed(table: str, row: RawRow, stored: dict[str, Any]) -> Fault | None:
    """A behaviour that tells nothing."""
    if table != "behaviours" or any(stored[name] for name in DEEDS):
        return None
    return Fault(row.file, row.line, DEEDS[0], f"a value, or {' or '.join(DEEDS[1:])}", "none of them")


def _convert(field: Field, raw: Any) -> Any:
    empty: list[Any] | None = [] if field.name in LISTS else None
    value = empty if raw is None else field.convert(raw)
    if field.required and value is None:
        raise BadValueError("a value (the field is required)", "none" if raw is None else shown(raw))
    return value
