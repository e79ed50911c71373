"""What a model reads of a record: the same rule in training, evaluation and prediction.

A spec names the fields of the first and, for pairs, of the second text; it is saved beside the model's weights.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

SEPARATOR = " | "
COLUMN = "attributes."


@dataclass(frozen=True)
class InputSpec:
    """Fields of the first text and of the second (empty: single texts).

    A field is a key of the record (`attributes`: the values of all of them), or `attributes.<name>`.
    """

    first: tuple[str, ...]
    second: tuple[str, ...] = ()

    def render(self, record: Mapping[str, Any]) -> tuple[str, str | None]:
        """The text, or pair of texts, that the model reads of this record."""
        first = join_fields(record, self.first)
        return first, join_fields(record, self.second) if self.second else None

    def to_dict(self) -> dict[str, list[str]]:
        """Plain form, for a JSON file."""
        return {key: list(value) for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, list[str]]) -> "InputSpec":
        """The inverse of `to_dict`."""
        return cls(tuple(plain["first"]), tuple(plain["second"]))


def join_fields(record: Mapping[str, Any], fields: tuple[str, ...]) -> str:
    """The record's non-empty fields, in order, joined by ` | `."""
    values = (field_value(record, name) for name in fields)
    return SEPARATOR.join(value for value in values if value)


def field_value(record: Mapping[str, Any], name: str) -> str:
    """One field as text; an empty text where the record does not have it."""
    first, _, attribute = name.partition(".")
    if first == "attributes":
        named = _attributes(record)
        value = (
            _joined(named.get(attribute)) if attribute else _joined([_joined(several) for several in named.values()])
        )
    else:
        value = _joined(record.get(name))
    return value.strip()


def _attributes(record: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes by name, from a mapping, name-value pairs, columns `attributes.<name>`, or a cell.

    A cell holds a JSON object, or plain words (which have no name).
    """
    value = record.get("attributes")
    if isinstance(value, str):
        value = _parsed(value) or {"": value.strip()}
    if isinstance(value, Mapping):
        named = dict(value)
    else:
        pairs = [p if isinstance(p, Mapping) and "name" in p else {"name": str(p), "value": p} for p in value or ()]
        named = {}
        for pair in pairs:
            named.setdefault(pair["name"], []).append(pair.get("value"))
    columns = {key: v for key, v in record.items() if key.startswith(COLUMN)}
    return named | {key.removeprefix(COLUMN): v for key, v in columns.items()}


def _joined(values: Any) -> str:
    """One value as text, or several joined by commas; what is empty is left out."""
    several = values if isinstance(values, list | tuple) else [values]
    return ", ".join(str(value) for value in several if value not in (None, ""))


def _parsed(cell: str) -> dict[str, Any] | None:
    try:
        value = json.loads(cell)
    except json.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
