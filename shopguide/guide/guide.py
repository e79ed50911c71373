"""The guide: what a shopper needs, which products meet it, and the shop's answers, each with what it rests on."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from shopguide.errors import DataError
from shopguide.guide.answering import Answering
from shopguide.guide.kinds import Kinds, shares
from shopguide.guide.knowing import Knowledge, Reply
from shopguide.guide.lexicon import Lexicon
from shopguide.guide.mentions import Mentions
from shopguide.guide.recommending import Recommender, Seen
from shopguide.guide.results import Answer, Evidence, Item, Marked, Need, Results, Service, Share
from shopguide.guide.searching import Hits, Query, Searcher
from shopguide.guide.shelf import Asked, Shelf
from shopguide.guide.trust import trusted_from
from shopguide.guide.wishes import Wishes, read_wishes
from shopguide.inference.answers import Answerer, Classifier
from shopguide.inference.encoder import Encoder
from shopguide.inference.second_stage import SecondStage
from shopguide.inference.span_answers import SpanAnswerer
from shopguide.inference.wording import Writer
from shopguide.records.tables import Shop
from shopguide.tasks.history import REMEMBERED

NEED, SEARCH, RELEVANCE, RECOMMEND, SPANS = "need", "search", "relevance", "recommend", "spans"
INTENT, EVIDENCE = "intent", "evidence"
ROLES = (NEED, SEARCH, RELEVANCE, RECOMMEND, SPANS, INTENT, EVIDENCE)
"""Tasks whose models the guide works with; it makes do without any of them."""
FACET_VALUES = 8
SURE = 0.5
"""Probability of an intent from which the shop's reply is given, where nothing tells how often the model is right."""
UNHEARD = 0.25
"""Of a message's words, the share that no dialogue has, from which on a model of intents is not believed."""
WORDS = re.compile(r"[A-Za-z0-9_-]+")
ORDER = re.compile(r"(?<![A-Za-z0-9_-])\d{5,20}(?![A-Za-z0-9_-])")


class UnknownProductError(DataError):
    """No product of the catalogue has this item_id."""


class Guide:
    """The models of a run at work on a catalogue. Safe to use by one thread at a time.

    Args:
        shop: the records: products; behaviours, by which is known what is popular; dialogues, the shop's own answers.
        models: task → model, of `ROLES`; encoders have the shop's products as their catalogue, in its order.
        texts: task → the products as its model reads them, for `relevance`; `search` is what BM25 reads.
        persons: intents that a person answers, whatever the shop's reply says.
        writer: words the answers on products; None: what they rest on is told as it is.

    Raises:
        DataError: the shop has no products.
        ModelError: the model of `relevance` does not grade pairs.
    """

    sure_intent: float = SURE
    """Probability of an intent from which the shop's reply is given; below, a person answers."""

    def __init__(
        self,
        shop: Shop,
        models: Mapping[str, Answerer],
        texts: Mapping[str, Sequence[str]],
        persons: Collection[str] = (),
        writer: Writer | None = None,
    ) -> None:
        self.shelf, self._persons = Shelf(shop), frozenset(persons)
        self.models = dict(models)
        search, recommend = (self._encoder(name) for name in (SEARCH, RECOMMEND))
        second = SecondStage(models[RELEVANCE]) if RELEVANCE in models else None
        self._lexicon = Lexicon(texts.get(SEARCH) or self.shelf.titles)
        need = models.get(NEED)
        self._kinds = Kinds(need, self.shelf) if isinstance(need, Classifier) else None
        self._searcher = Searcher(self.shelf, self._lexicon, search, self._kinds, second, texts.get(RELEVANCE, ()))
        self._recommender = Recommender(self.shelf, shop, self._lexicon, recommend, search)
        self._knowledge = Knowledge(self.shelf, shop)
        self._mentions = Mentions(self.shelf)
        reader = models.get(EVIDENCE)
        assert reader is None or isinstance(reader, Classifier)
        self.answering = Answering(self.shelf, self._knowledge, self._mentions, reader, writer)

    def _encoder(self, name: str) -> Encoder | None:
        model = self.models.get(name)
        assert model is None or isinstance(model, Encoder)
        return model

    def understand(self, queries: Sequence[str], histories: Sequence[Seen] | None = None) -> list[Need]:
        """What each shopper needs.

        Args:
            queries: N texts.
            histories: of the N shoppers, read by a model of need that was trained with histories.
        """
        seen = histories or [Seen()] * len(queries)
        wishes = [self._wishes(query) for query in queries]
        said = [one.text for one in wishes]
        wanted: Sequence[np.ndarray | None] = [None] * len(said)
        if self._kinds is not None and said:
            wanted = list(self._kinds.posterior(said, [own.viewed for own in seen], [own.purchased for own in seen]))
        return self._told_needs(said, wanted, wishes)

    def _wishes(self, query: str) -> Wishes:
        return read_wishes(query, self._mentions, priced=self.shelf.is_priced)

    def _told_needs(
        self, said: Sequence[str], wanted: Sequence[np.ndarray | None], wishes: Sequence[Wishes]
    ) -> list[Need]:
        told = zip(said, wanted, self._spans(said), wishes, strict=True)
        return [
            Need(
                query,
                [] if own is None or self._kinds is None else self._kinds.told(own),
                spans,
                wish.price_from,
                wish.price_to,
                wish.without,
            )
            for query, own, spans, wish in told
        ]

    def _spans(self, queries: Sequence[str]) -> list[list[Marked]]:
        model = self.models.get(SPANS)
        if not isinstance(model, SpanAnswerer):
            return [self._mentions.find(query) for query in queries]
        found = model.spans(list(queries))
        return [
            [Marked(s.start, s.end, query[s.start : s.end], s.label, score) for s, score in own]
            for query, own in zip(queries, found, strict=True)
        ]

    def search(self, queries: Sequence[Query], counts: Sequence[int]) -> list[Results]:
        """What each query finds, the best first, and what the shopper seems to need.

        Args:
            queries: answered together, by one pass of each model.
            counts: products of each.

        Raises:
            DataError: a filter is of no facet.
        """
        wishes = [self._wishes(one.text) if one.mend else Wishes(one.text) for one in queries]
        asked = zip(queries, wishes, strict=True)
        found = self._searcher.search([replace(one, text=own.text, asked=own.of(one.asked)) for one, own in asked])
        needs = self._told_needs([hits.searched for hits in found], [hits.wanted for hits in found], wishes)
        mended = [hits.searched != own.text for hits, own in zip(found, wishes, strict=True)]
        return [self._results(*told) for told in zip(needs, found, mended, counts, strict=True)]

    def learn(self, queries: Sequence[str], chosen: Sequence[Mapping[str, float]]) -> None:
        """Weigh words, meaning and the second reading in search by what shoppers chose.

        Args:
            queries: that no model has learnt from.
            chosen: of each, item_id → what the product is worth.
        """
        place = self.shelf.place
        worth = [{place[item]: gain for item, gain in own.items() if item in place} for own in chosen]
        self._searcher.learn([Query(query) for query in queries], worth)

    def _results(self, need: Need, hits: Hits, mended: bool, count: int) -> Results:
        items = [self.item(row, score) for row, score in zip(hits.rows[:count], hits.scores[:count], strict=True)]
        return Results(need, hits.searched, mended, items, hits.fits, self.shelf.counted(hits.rows, FACET_VALUES))

    def similar(self, item_id: str, count: int = 10) -> list[Item]:
        """The products most like one, which is not among them.

        Raises:
            UnknownProductError: there is no such product.
        """
        row = self.row(item_id)
        encoder = self._encoder(SEARCH) or self._encoder(RECOMMEND)
        if encoder is None:
            (hits,) = self._searcher.search([Query(self.shelf.titles[row], rerank=False, mend=False)])
            near = list(zip(hits.rows, hits.scores, strict=True))
        else:
            assert encoder.catalogue is not None
            rows, scores = encoder.catalogue.nearest(np.array(encoder.catalogue.matrix[row])[None], count + 1)
            near = list(zip(rows[0], scores[0], strict=True))
        return [self.item(other, score) for other, score in near if other not in (row, -1)][:count]

    def recommend(
        self,
        viewed: Sequence[str] = (),
        purchased: Sequence[str] = (),
        query: str = "",
        count: int = 10,
        asked: Asked | None = None,
        diversity: float = 0.0,
    ) -> list[Item]:
        """What comes next for a shopper; `because` of which product of the history. Without a history: what is popular.

        Args:
            viewed: item_ids, the latest last; those that the catalogue does not have count for nothing.
            purchased: likewise.
            query: what is asked for besides, if anything.
            count: products.
            asked: what they are to be like.
            diversity: from 0 to 1.

        Raises:
            DataError: a filter is of no facet.
        """
        wishes = self._wishes(query)
        seen = Seen(self.rows(viewed), self.rows(purchased), self._lexicon.mended(wishes.text))
        found = self._recommender.recommend(seen, count, wishes.of(asked or Asked({})), diversity)
        return [
            self.item(one.row, one.score, None if one.because is None else self.shelf.ids[one.because]) for one in found
        ]

    def rows(self, items: Sequence[str]) -> list[int]:
        """Of a history, the latest last, in the catalogue: the latest first, without those that it does not have."""
        return [self.shelf.place[item] for item in items[::-1] if item in self.shelf.place][:REMEMBERED]

    def answer(self, question: str, item_id: str | None = None) -> Answer:
        """What the shop knows: of a product its answer to the question before, or the attribute that is asked for; else
        its reply to the question, whatever product it is about; else what is read in the product's texts and reviews.

        Args:
            question: in any language that the shop has answered questions in.
            item_id: of the product that it is about.

        Raises:
            UnknownProductError: there is no such product.
        """
        found = self._known(question, item_id)
        return found if found.answer is not None else self._read(question, item_id)

    def _known(self, question: str, item_id: str | None) -> Answer:
        if item_id is not None:
            found = self.answering.known(question, self.row(item_id))
            if found.answer is not None:
                return found
        return _replied(self._knowledge.reply(question, None))

    def _read(self, question: str, item_id: str | None) -> Answer:
        return Answer(None) if item_id is None else self.answering.read(question, self.row(item_id))

    def reply(self, message: str, item_id: str | None = None) -> Service:
        """What the customer service says: an answer to the question, or the shop's own reply to what the message wants;
        where neither is sure, a person is to answer.

        Args:
            message: of the shopper.
            item_id: of the product that is looked at.

        Raises:
            UnknownProductError: there is no such product.
        """
        named = [word for word in WORDS.findall(message) if word in self.shelf.place]
        slots = {"order": [number for number in ORDER.findall(message) if number not in named], "item_id": named}
        about = item_id or (named[0] if named else None)
        plain = WORDS.sub(lambda match: "" if match.group() in named else match.group(), message).strip() or message
        plain = self._knowledge.mended(plain)
        shares = self._intents(plain)
        sure = shares[:1] if self._believed(plain, shares) else []
        told = self._told(plain, sure, about)
        wants: set[str | None] = {share.label for share in sure}
        wants |= {self._knowledge.intent_of(one.name) for one in told.evidence if one.source == "faq"}
        return Service(shares, slots, told, handover=told.answer is None or not self._persons.isdisjoint(wants))

    def _believed(self, message: str, shares: Sequence[Share]) -> bool:
        likely = bool(shares) and shares[0].probability >= self.sure_intent
        return likely and self._knowledge.unheard(message) < UNHEARD

    def _told(self, message: str, sure: Sequence[Share], about: str | None) -> Answer:
        """What is known; else the shop's reply to what is surely wanted; else what is read of the product."""
        found = self._known(message, about)
        if found.answer is None and sure:
            found = _replied(self._knowledge.reply(message, sure[0].label))
        return found if found.answer is not None else self._read(message, about)

    def learn_intents(self, asked: Sequence[tuple[str, str]]) -> None:
        """From which probability on a model of intents is believed.

        Args:
            asked: messages that it has not learnt from, and their intents.
        """
        told = [(self._intents(self._knowledge.mended(message))[:1], intent) for message, intent in asked]
        self.sure_intent = trusted_from((own[0].probability, own[0].label == intent) for own, intent in told if own)

    def _intents(self, message: str) -> list[Share]:
        model = self.models.get(INTENT)
        if not isinstance(model, Classifier):
            return []
        target, classes = next(iter(model.card.targets.items()))
        return shares(model.posterior([message])[target][0], classes)

    def row(self, item_id: str) -> int:
        """Of a product in the catalogue.

        Raises:
            UnknownProductError: there is no such product.
        """
        if item_id not in self.shelf.place:
            raise UnknownProductError(f"item_id={item_id[:60]}: expected a product of this catalogue, found none")
        return self.shelf.place[item_id]

    def item(self, row: int, score: float = 1.0, because: str | None = None) -> Item:
        """A product as it is shown."""
        found = self.shelf.product(int(row))
        shown = {name: found[name] for name in ("item_id", "title", "category", "price", "attributes")}
        return Item(**shown, has_image=bool(found["image"]), score=round(float(score), 6), because=because)


@dataclass(frozen=True)
class Served:
    """A guide, and the folder below which the pictures of its products are."""

    guide: Guide
    root: Path


def _replied(reply: Reply | None) -> Answer:
    return (
        Answer(None) if reply is None else Answer(reply.answer, [Evidence("faq", None, reply.question, reply.answer)])
    )
