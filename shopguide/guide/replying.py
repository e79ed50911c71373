"""Customer service: what a message wants, and what the shop says to it; a person, where that is not sure."""

import re
from collections.abc import Collection, Sequence

from shopguide.guide.answering import Answering
from shopguide.guide.kinds import shares
from shopguide.guide.knowing import Knowledge, Reply
from shopguide.guide.results import Answer, Evidence, Service, Share
from shopguide.guide.shelf import Shelf
from shopguide.guide.trust import trusted_from
from shopguide.inference.answers import Answerer, Classifier

SURE = 0.5
"""Probability of an intent from which the shop's reply is given, where nothing tells how often the model is right."""
UNHEARD = 0.25
"""Of a message's words, the share that no dialogue has, from which on a model of intents is not believed."""
WORDS = re.compile(r"[A-Za-z0-9_-]+")
ORDER = re.compile(r"(?<![A-Za-z0-9_-])\d{5,20}(?![A-Za-z0-9_-])")


class Replying:
    """Answers questions and messages, on a product or on none.

    Args:
        shelf: the products.
        knowledge: what the shop said before.
        answering: of questions on products.
        model: of the task `intent`; None: intents are not known.
        persons: intents that a person answers, whatever the shop's reply says.
    """

    sure: float = SURE
    """Probability of an intent from which the shop's reply is given; below, a person answers."""

    def __init__(
        self,
        shelf: Shelf,
        knowledge: Knowledge,
        answering: Answering,
        model: Answerer | None = None,
        persons: Collection[str] = (),
    ) -> None:
        self._shelf, self._knowledge, self._answering = shelf, knowledge, answering
        self._model, self._persons = model, frozenset(persons)

    def answer(self, question: str, row: int | None) -> Answer:
        """What the shop knows.

        Args:
            question: of a shopper.
            row: of the product that it is about.
        """
        found = self._known(question, row)
        return found if found.answer is not None else self._read(question, row)

    def reply(self, message: str, row: int | None) -> Service:
        """What is said to a message.

        Args:
            message: of a shopper.
            row: of the product that is looked at; else it is about the one whose item_id it says.
        """
        place = self._shelf.place
        named = [word for word in WORDS.findall(message) if word in place]
        slots = {"order": [number for number in ORDER.findall(message) if number not in named], "item_id": named}
        about = row if row is not None else place[named[0]] if named else None
        plain = WORDS.sub(lambda match: "" if match.group() in named else match.group(), message).strip() or message
        plain = self._knowledge.mended(plain)
        (intents,) = self._intents([plain])
        sure = intents[:1] if self._believed(plain, intents) else []
        told = self._told(plain, sure, about)
        wants: set[str | None] = {share.label for share in sure}
        wants |= {self._knowledge.intent_of(one.name) for one in told.evidence if one.source == "faq"}
        return Service(intents, slots, told, handover=told.answer is None or not self._persons.isdisjoint(wants))

    def learn(self, asked: Sequence[tuple[str, str]]) -> None:
        """From which probability on the model is believed.

        Args:
            asked: messages that it has not learnt from, and their intents.
        """
        read = self._intents([self._knowledge.mended(message) for message, _ in asked])
        told = [(own[0], intent) for own, (_, intent) in zip(read, asked, strict=True) if own]
        self.sure = trusted_from((share.probability, share.label == intent) for share, intent in told)

    def _known(self, question: str, row: int | None) -> Answer:
        """What was said to this very question, on the product or to everybody; else what is known of the product; else
        what was said to a question like it.
        """
        told = None if row is None else self._answering.said(question, row)
        if told is not None:
            return told
        said = self._knowledge.said(question)
        found = Answer(None) if row is None or said else self._answering.of_attribute(question, row)
        return found if found.answer is not None else _replied(said or self._knowledge.reply(question, None))

    def _read(self, question: str, row: int | None) -> Answer:
        return Answer(None) if row is None else self._answering.read(question, row)

    def _told(self, message: str, sure: Sequence[Share], row: int | None) -> Answer:
        """What is known; else the shop's reply to what is surely wanted; else what is read of the product."""
        found = self._known(message, row)
        if found.answer is None and sure:
            found = _replied(self._knowledge.reply(message, sure[0].label))
        return found if found.answer is not None else self._read(message, row)

    def _believed(self, message: str, intents: Sequence[Share]) -> bool:
        likely = bool(intents) and intents[0].probability >= self.sure
        return likely and self._knowledge.unheard(message) < UNHEARD

    def _intents(self, messages: Sequence[str]) -> list[list[Share]]:
        """Of each message the most probable ones."""
        if not isinstance(self._model, Classifier) or not messages:
            return [[] for _ in messages]
        target, classes = next(iter(self._model.card.targets.items()))
        return [shares(own, classes) for own in self._model.posterior(list(messages))[target]]


def _replied(reply: Reply | None) -> Answer:
    return (
        Answer(None) if reply is None else Answer(reply.answer, [Evidence("faq", None, reply.question, reply.answer)])
    )
