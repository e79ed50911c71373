"""What a model reads of a record: the same rule in training, evaluation and prediction.

A spec names the fields of the first and, for pairs, of the second text; it is saved beside the model's weights.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

SEPARATOR = " | "


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
    value = record.get(first)
    if first == "attributes":
        pairs = value or {}
        named = pairs if isinstance(pairs, Mapping) else {pair["name"]: pair["value"] for pair in pairs}
        value = named.get(attribute) if attribute else ", ".join(str(v) for v in named.values() if v is not None)
    return "" if value is None else str(value).strip()
