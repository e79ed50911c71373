"""Answers to questions on products, and what they rest on: earlier answers, attributes, and what a model reads in the
shop's texts and its buyers' reviews.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shopguide.errors import ModelError
from shopguide.guide.knowing import Knowledge
from shopguide.guide.mentions import Mentions
from shopguide.guide.naming import asked_field
from shopguide.guide.results import Answer, Evidence
from shopguide.guide.shelf import CATEGORY, Shelf
from shopguide.guide.trust import trusted_from
from shopguide.inference.answers import Classifier
from shopguide.inference.wording import Writer
from shopguide.tasks.evidence import TOLD, YES, Rarity
from shopguide.tasks.passages import Passage, passages, shown_price
from shopguide.tasks.values import NOT_SAID
from shopguide.text.words import WORD

SURE = 0.9
"""Probability from which a piece is taken to answer a question, where nothing tells how often the model is right."""
LITTLE = re.compile(
    "an?|the|its?|this|that|these|they|them|is|are|be|of|in|on|at|to|for|with|by|and|made|comes|has|have|your?"
    "|是|的|为|这|款|它|由|用|对|请"
)
"""Words that say nothing of a product, and do not answer yes or no."""
SIGNED = re.compile(r"[-−–+±]\s?\d+")


@dataclass(frozen=True)
class Answered:
    """A question that the shop answered, or a message that is on no product."""

    question: str
    row: int
    """Of the product; of any, where it is on none."""
    answer: str | None
    """None: no piece of the product answers it."""


class Answering:
    """Answers questions on products.

    Args:
        shelf: the products.
        knowledge: what the shop answered before.
        mentions: finds the values that products have.
        reader: a model of the task `evidence`; None: texts and reviews are not read.
        writer: words what an answer rests on; None: that is told as it is.

    Raises:
        ModelError: the reader has no class of what answers.
    """

    sure: float = SURE
    """Probability from which a piece is taken to answer a question."""

    def __init__(
        self,
        shelf: Shelf,
        knowledge: Knowledge,
        mentions: Mentions,
        reader: Classifier | None = None,
        writer: Writer | None = None,
    ) -> None:
        self._shelf, self._knowledge, self._mentions = shelf, knowledge, mentions
        self._reader, self._writer = reader, writer
        classes = [YES] if reader is None else next(iter(reader.card.targets.values()))
        if YES not in classes:
            raise ModelError(f"task `evidence`: expected a model with a class {YES}, found {', '.join(classes)}")
        self._yes = classes.index(YES)

    def said(self, question: str, row: int) -> Answer | None:
        """How the shop answered this very question on this product; None: it did not.

        Args:
            question: of a shopper.
            row: of the product.
        """
        item = self._shelf.ids[row]
        said = self._knowledge.answered(question, item)
        return None if said is None else Answer(said, [Evidence("dialogue", item, question, said)])

    def read(self, question: str, row: int) -> Answer:
        """The piece of what is known of the product that the model takes for an answer.

        Args:
            question: of a shopper.
            row: of the product.
        """
        (found,) = self._nearest([question], [row])
        if found is None or found[1] < self.sure:
            return Answer(None)
        piece = found[0]
        evidence = Evidence(piece.source, self._shelf.ids[row], piece.name, piece.text)
        return Answer(self._written(question, piece.read, piece.text), [evidence])

    def learn(self, asked: Sequence[Answered]) -> None:
        """From which probability on a piece is taken for an answer: the least from which nine of ten are right; none,
        where there is no such.

        Args:
            asked: that no model has learnt from.
        """
        rarity = Rarity([one.answer for one in asked if one.answer])
        read = self._nearest([one.question for one in asked], [one.row for one in asked])
        pairs = [(one, found) for one, found in zip(asked, read, strict=True) if found is not None]
        told = [(found[1], _is_right(one, found[0], rarity)) for one, found in pairs]
        self.sure = trusted_from((sure, right) for sure, right in told if right is not None)

    def _nearest(self, questions: Sequence[str], rows: Sequence[int]) -> list[tuple[Passage, float] | None]:
        """The piece of each product that most probably answers a question, and how probably; the model reads all at
        once.
        """
        pieces = [passages(self._shelf.product(row)) if self._reader is not None else [] for row in rows]
        pairs = [(question, piece.read) for question, own in zip(questions, pieces, strict=True) for piece in own]
        if self._reader is None or not pairs:
            return [None] * len(rows)
        (posterior,) = self._reader.posterior(*map(list, zip(*pairs, strict=True))).values()
        yes = np.split(posterior[:, self._yes], np.cumsum([len(own) for own in pieces])[:-1])
        return [
            (own[int(np.argmax(sure))], float(sure.max())) if own else None
            for own, sure in zip(pieces, yes, strict=True)
        ]

    def of_attribute(self, question: str, row: int) -> Answer:
        """The attribute that a question asks for.

        Args:
            question: of a shopper.
            row: of the product.
        """
        product, item = self._shelf.product(row), self._shelf.ids[row]
        price = shown_price(product["price"])
        own = {CATEGORY: product["category"], "price": price, **product["attributes"]}
        asked = self._knowledge.about(question)
        name = asked[0] if asked else asked_field(question, own, self._mentions)
        value = None if name is None else own.get(name)
        if name is None or not value or value == NOT_SAID:
            return Answer(None)
        worded = self._knowledge.worded(asked[1], value) if asked else None
        fact = f"{name.replace('_', ' ')}: {value}"
        return Answer(worded or self._written(question, fact, value), [Evidence("attribute", item, name, value)])

    def _written(self, question: str, fact: str, value: str) -> str:
        """In the writer's words, if they say the fact and nothing else, else the fact."""
        if self._writer is None:
            return fact
        said = self._writer.write(question, fact)
        return said if _says(said, fact, value) else fact


def _is_right(asked: Answered, piece: Passage, rarity: Rarity) -> bool | None:
    """Whether the shop's answer stands in a piece; None: it has no words but the question's."""
    if asked.answer is None:
        return False
    shares = rarity.shares(asked.answer, asked.question, [piece])
    return None if shares is None else bool(shares[0] >= TOLD)


def _says(said: str, fact: str, value: str) -> bool:
    """Whether a sentence has the words of a value one after the other, and beside them only words of the fact and
    little ones: no word of the question's, no number, sign or refusal that the fact does not have.
    """
    own, wanted, known = _words(said), _words(value), {*_words(fact)}
    starts = range(len(own) - len(wanted) + 1)
    return (
        any(own[start : start + len(wanted)] == wanted for start in starts)
        and {*SIGNED.findall(said)} <= {*SIGNED.findall(fact)}
        and all(word in known or LITTLE.fullmatch(word) for word in own)
    )


def _words(text: str) -> list[str]:
    """Each word, and each character of unspaced script, in lower case."""
    return [word for word in WORD.findall(text.casefold()) if word[0].isalnum()]
