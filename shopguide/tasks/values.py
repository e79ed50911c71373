"""values: the name of an attribute and a product's text → the attribute's value, as it stands in the text, or none.

The name is part of what the model reads, so that attributes that no training product has can be asked for.
"""

import re

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from shopguide.records.partition import Partition
from shopguide.records.splits import normalised
from shopguide.records.tables import Shop, rows_of
from shopguide.tasks.task import OPTIONS, Examples, Kind, Task, Truth
from shopguide.text.inputs import InputSpec
from shopguide.text.tags import Span

NOT_SAID = "n/a"
"""An attribute of this value is one that the text does not tell: the model learns to answer none."""
LABEL = "value"
RUNS = ("[A-Za-z]", "[0-9]")
"""A value that begins or ends in one of these is not looked for inside a longer run of them."""


@dataclass(config=OPTIONS, kw_only=True)
class Values(Task):
    """Products with attributes: each attribute that a product has is a question about its text."""

    fields: tuple[str, ...] = ("title", "description")
    negatives: int = Field(default=0, ge=0)
    """Attributes that a product lacks, drawn by its row number and asked with the answer none: for a catalogue whose
    products do not say `n/a` themselves."""

    @property
    def kind(self) -> Kind:
        """What is answered."""
        return "extraction"

    @property
    def inputs(self) -> InputSpec:
        """The attribute's name, and the product's own words."""
        return InputSpec(("attribute",), tuple(self.fields))

    @property
    def wants(self) -> str:
        """Products with attributes whose values stand in their text."""
        return f"It needs products with attributes whose values stand in {' or '.join(self.fields)}."

    def examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """One example an attribute of a product; values that are not in the text are scored, not learnt from."""
        second: list[str] = []
        spans: list[list[Span] | None] = []
        said: list[list[str]] = []
        found = Examples(second=second, spans=spans, values=said)
        names = sorted({pair["name"] for product in rows_of(shop.products) for pair in product["attributes"]})
        for row, product in enumerate(rows_of(shop.products)):
            text = self.inputs.render({**product, "attribute": ""})[1] or ""
            if not text:
                continue
            asked = several(product)
            lacking = [name for name in names if name not in asked] if self.negatives and asked else []
            drawn = np.random.default_rng(row).permutation(len(lacking))[: self.negatives]
            for name, values in {**asked, **{lacking[i]: [] for i in np.sort(drawn)}}.items():
                marks = occurrences(text, values)
                found.first.append(name)
                second.append(text)
                said.append(values)
                spans.append(marks if marks or not values else None)
                found.split.append(str(parts.products[row]))
                found.groups.append(normalised(product["title"]))
        return found


def several(product: dict[str, list[dict[str, str]]]) -> dict[str, list[str]]:
    """Attribute → its values; empty where the only one is `n/a`."""
    named: dict[str, list[str]] = {}
    for pair in product["attributes"]:
        values = named.setdefault(pair["name"], [])
        if pair["value"].casefold() != NOT_SAID and pair["value"] not in values:
            values.append(pair["value"])
    return named


def occurrences(text: str, values: list[str]) -> list[Span]:
    """Where the values stand as whole words, the longer one where two overlap; in other case if not in their own."""
    taken: list[Span] = []
    for value in sorted(values, key=len, reverse=True):
        for match in _matches(text, value):
            span = Span(*match.span(), LABEL)
            if all(span.end <= other.start or other.end <= span.start for other in taken):
                taken.append(span)
    return sorted(taken)


def _matches(text: str, value: str) -> list[re.Match[str]]:
    whole = "|".join(f"(?<!{kind}){re.escape(value)}" for kind in RUNS if re.match(kind, value)) or re.escape(value)
    whole = f"(?:{whole})" + "".join(f"(?!{kind})" for kind in RUNS if re.search(f"{kind}$", value))
    return list(re.finditer(whole, text)) or list(re.finditer(whole, text, re.IGNORECASE))
