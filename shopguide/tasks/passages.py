"""What a shop says of a product, piece by piece: what an answer to a question may rest on."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from shopguide.tasks.values import NOT_SAID

SENTENCE = re.compile(r"(?<=[.!?;])\s|(?<=[。！？；])|[•|]")
LONGEST = 300
"""Letters of a piece; what is longer is cut between words."""
ATTRIBUTE, DESCRIPTION, REVIEW = "attribute", "description", "review"
MOST = {ATTRIBUTE: 32, DESCRIPTION: 24, REVIEW: 24}
"""Pieces of each source, the first ones."""
PERSONAL = re.compile(r"\d{5,}|\S@\S")
"""An order's or a telephone's number, an address of e-mail: what holds one is never said to another shopper."""


@dataclass(frozen=True)
class Passage:
    """A piece of what is known of a product."""

    source: str
    """`attribute`, `description` or `review`."""
    name: str
    """Of the attribute; else the source."""
    text: str
    """Of an attribute, its value."""

    @property
    def read(self) -> str:
        """As a model reads it: an attribute with its name."""
        return f"{self.name.replace('_', ' ')}: {self.text}" if self.source == ATTRIBUTE else self.text


def passages(product: Mapping[str, Any]) -> list[Passage]:
    """The attributes, then description and reviews, sentence by sentence; of reviews, none with a number or an
    address of somebody.

    Args:
        product: a record; its `attributes` by name.
    """
    named = {"category": product.get("category"), "price": shown_price(product.get("price")), **product["attributes"]}
    told = ((name, value) for name, value in named.items() if value and value != NOT_SAID)
    attributes = (Passage(ATTRIBUTE, name, value[:LONGEST]) for name, value in told)
    found = list(islice(attributes, MOST[ATTRIBUTE]))
    texts = {
        DESCRIPTION: _pieces(product.get("description") or ""),
        REVIEW: (
            piece
            for piece in chain.from_iterable(_pieces(review) for review in product.get("reviews") or ())
            if not PERSONAL.search(piece)
        ),
    }
    for source, pieces in texts.items():
        found += [Passage(source, source, piece) for piece in islice(pieces, MOST[source])]
    return found


def shown_price(price: float | None) -> str | None:
    """Two decimals, or none."""
    return None if price is None else f"{price:.2f}".removesuffix(".00")


def _pieces(text: str) -> Iterator[str]:
    for line in text.splitlines():
        for sentence in SENTENCE.split(" ".join(line.split())):
            yield from _cut(sentence.strip())


def _cut(sentence: str) -> Iterator[str]:
    """Of a long sentence several pieces."""
    while len(sentence) > LONGEST:
        space = sentence.rfind(" ", 1, LONGEST)
        end = space if space > 0 else LONGEST
        yield sentence[:end].strip()
        sentence = sentence[end:].strip()
    if sentence:
        yield sentence
