"""Answers to questions on products, and what they rest on: earlier answers, attributes, and what a model reads in the
shop's texts and its buyers' reviews.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from shopguide.guide.knowing import Knowledge
from shopguide.guide.phrases import plain
from shopguide.guide.results import Answer, Evidence
from shopguide.guide.shelf import CATEGORY, Shelf
from shopguide.inference.answers import Classifier
from shopguide.inference.writer import Writer
from shopguide.tasks.evidence import YES
from shopguide.tasks.passages import passages, shown_price
from shopguide.text.words import UNSPACED, terms

SURE = 0.5
"""Probability from which a piece of what is known is taken to answer a question."""
SHORT = 5
"""Words of a question that may name an attribute."""
LITTLE = re.compile(
    "an?|the|its?|this|that|these|they|them|is|are|be|of|in|on|at|to|for|with|by|and|or|made|comes|has|have|your?|yes"
    "|是|的|有|为|这|款|它|由|对|请"
)
"""Words that say nothing of a product."""
STEM, ENDING = 3, 3
"""Letters that two forms of a word share at least, and by which they differ at most."""
END = re.compile(r"[.!?;。！？；\s]+$")


class Answering:
    """Answers questions on products.

    Args:
        shelf: the products.
        knowledge: what the shop answered before.
        reader: a model of the task `evidence`; None: texts and reviews are not read.
        writer: words what an answer rests on; None: that is told as it is.
    """

    def __init__(self, shelf: Shelf, knowledge: Knowledge, reader: Classifier | None, writer: Writer | None) -> None:
        self._shelf, self._knowledge, self._reader, self._writer = shelf, knowledge, reader, writer
        self._yes = 0 if reader is None else next(iter(reader.card.targets.values())).index(YES)

    def known(self, question: str, row: int) -> Answer:
        """How the shop answered the question on this product, or the attribute that it asks for.

        Args:
            question: of a shopper.
            row: of the product.
        """
        product, item = self._shelf.product(row), self._shelf.ids[row]
        if said := self._knowledge.answered(question, item):
            return Answer(said, [Evidence("dialogue", item, question, said)])
        return self._of_attribute(question, item, product)

    def read(self, question: str, row: int) -> Answer:
        """The piece of what is known of the product that the model takes for an answer.

        Args:
            question: of a shopper.
            row: of the product.
        """
        if self._reader is None:
            return Answer(None)
        pieces = passages(self._shelf.product(row))
        (posterior,) = self._reader.posterior([question] * len(pieces), [piece.read for piece in pieces]).values()
        best = int(np.argmax(posterior[:, self._yes]))
        if posterior[best, self._yes] < SURE:
            return Answer(None)
        piece = pieces[best]
        evidence = Evidence(piece.source, self._shelf.ids[row], piece.name, piece.text)
        return Answer(self._written(question, piece.read, piece.text), [evidence])

    def _of_attribute(self, question: str, item: str, product: Mapping[str, Any]) -> Answer:
        price = shown_price(product["price"])
        own = {CATEGORY: product["category"], "price": price, **product["attributes"]}
        asked = self._knowledge.about(question)
        name = asked[0] if asked else _named(question, own)
        value = None if name is None else own.get(name)
        if name is None or not value:
            return Answer(None)
        worded = self._knowledge.worded(asked[1], value) if asked else None
        fact = f"{name.replace('_', ' ')}: {value}"
        return Answer(worded or self._written(question, fact, value), [Evidence("attribute", item, name, value)])

    def _written(self, question: str, fact: str, value: str) -> str:
        """In the writer's words, if they say the fact and nothing else, else the fact."""
        if self._writer is None:
            return fact
        said = self._writer.write(question, fact)
        return said if _says(said, f"{question} {fact}", value) else fact


def _says(said: str, given: str, value: str) -> bool:
    """Whether a sentence has the value to the letter, and no word beside but those given, in any form, and little
    ones. A no that the fact does not have is not among them.
    """
    known = {*terms(given)}
    others = [term for term in terms(said) if term[0].isalnum() and not (len(term) > 1 and UNSPACED.match(term))]
    return END.sub("", value.casefold()) in said.casefold() and all(
        LITTLE.fullmatch(term) or any(_same_stem(term, other) for other in known) for term in others
    )


def _same_stem(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return one == other or (
        len(shorter) >= STEM and longer.startswith(shorter) and len(longer) - len(shorter) <= ENDING
    )


def _named(question: str, fields: Mapping[str, Any]) -> str | None:
    """The field whose name stands in a short question, which asks for nothing of its own: no number, no value."""
    said = plain(question).split()
    if len(said) > SHORT or any(word.isdigit() for word in said):
        return None
    return next((name for name in fields if name and {*said}.issuperset(terms(name.replace("_", " ")))), None)
