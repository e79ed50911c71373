"""What a shop says of a product, piece by piece: what an answer to a question may rest on."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SENTENCE = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？；])|\s*[\n•|]\s*")
LONGEST = 300
"""Letters of a piece; what is longer is cut between words."""
MOST = 64
"""Pieces of a product, the first ones."""
ATTRIBUTE, TITLE, DESCRIPTION, REVIEW = "attribute", "title", "description", "review"


@dataclass(frozen=True)
class Passage:
    """A piece of what is known of a product."""

    source: str
    """`attribute`, `title`, `description` or `review`."""
    name: str
    """Of the attribute; else the source."""
    text: str
    """Of an attribute, its value."""

    @property
    def read(self) -> str:
        """As a model reads it: an attribute with its name."""
        return f"{self.name.replace('_', ' ')}: {self.text}" if self.source == ATTRIBUTE else self.text


def passages(product: Mapping[str, Any]) -> list[Passage]:
    """The attributes, then title, description and reviews, sentence by sentence.

    Args:
        product: a record; its `attributes` by name.
    """
    named = {"category": product.get("category"), "price": shown_price(product.get("price")), **product["attributes"]}
    found = [Passage(ATTRIBUTE, name, value[:LONGEST]) for name, value in named.items() if value]
    told = [(TITLE, product["title"]), (DESCRIPTION, product.get("description"))]
    told += [(REVIEW, review) for review in product.get("reviews") or ()]
    found += [Passage(source, source, piece) for source, text in told if text for piece in _pieces(text)]
    return found[:MOST]


def shown_price(price: float | None) -> str | None:
    """Two decimals, or none."""
    return None if price is None else f"{price:.2f}".removesuffix(".00")


def _pieces(text: str) -> Iterator[str]:
    for sentence in SENTENCE.split(text):
        yield from _cut(sentence.strip())


def _cut(sentence: str) -> Sequence[str]:
    """Of a long sentence several pieces."""
    if len(sentence) <= LONGEST:
        return [sentence] if sentence else []
    space = sentence.rfind(" ", 1, LONGEST)
    end = space if space > 0 else LONGEST
    return [sentence[:end].strip(), *_cut(sentence[end:].strip())]
