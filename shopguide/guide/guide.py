"""The guide: what a shopper needs, which products meet it, and the shop's answers, each with what it rests on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from shopguide.errors import DataError
from shopguide.guide.answering import Answering
from shopguide.guide.kinds import Kinds
from shopguide.guide.knowing import Knowledge
from shopguide.guide.lexicon import Lexicon
from shopguide.guide.mentions import Mentions
from shopguide.guide.recommending import Recommender, Seen
from shopguide.guide.replying import Replying
from shopguide.guide.results import Answer, Item, Marked, Need, Results, Service
from shopguide.guide.searching import Hits, Query, Searcher
from shopguide.guide.shelf import Asked, Shelf
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

    def __init__(
        self,
        shop: Shop,
        models: Mapping[str, Answerer],
        texts: Mapping[str, Sequence[str]],
        persons: Collection[str] = (),
        writer: Writer | None = None,
    ) -> None:
        self.shelf = Shelf(shop)
        self.models = dict(models)
        search, recommend = (self._encoder(name) for name in (SEARCH, RECOMMEND))
        second = SecondStage(models[RELEVANCE]) if RELEVANCE in models else None
        self._lexicon = Lexicon(texts.get(SEARCH) or self.shelf.titles)
        need = models.get(NEED)
        self._kinds = Kinds(need, self.shelf) if isinstance(need, Classifier) else None
        self._searcher = Searcher(self.shelf, self._lexicon, search, self._kinds, second, texts.get(RELEVANCE, ()))
        self._recommender = Recommender(self.shelf, shop, self._lexicon, recommend, search)
        self._mentions = Mentions(self.shelf)
        reader = models.get(EVIDENCE)
        assert reader is None or isinstance(reader, Classifier)
        knowledge = Knowledge(self.shelf, shop)
        self.answering = Answering(self.shelf, knowledge, self._mentions, reader, writer)
        self.replying = Replying(self.shelf, knowledge, self.answering, models.get(INTENT), persons)

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
                [span for span in spans if span.text not in wish.without.get(span.label, ())],
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

        Where nothing that fits has a price such as the query itself names, what fits otherwise is found. A price that
        is asked for besides takes the place of the query's.

        Args:
            queries: answered together, by one pass of each model.
            counts: products of each.

        Raises:
            DataError: a filter is of no facet.
        """
        wishes = [self._wishes(one.text) if one.mend else Wishes(one.text) for one in queries]
        told = zip(wishes, queries, strict=True)
        wishes = [own.at_any_price() if one.asked.names_price else own for own, one in told]
        found = self._found(queries, wishes)
        missed = [place for place, own in enumerate(wishes) if own.names_price and found[place].found_nothing]
        freed = self._found([queries[place] for place in missed], [wishes[place].at_any_price() for place in missed])
        beyond = {place: hits for place, hits in zip(missed, freed, strict=True) if not hits.found_nothing}
        found = [beyond.get(place, hits) for place, hits in enumerate(found)]
        needs = self._told_needs([hits.searched for hits in found], [hits.wanted for hits in found], wishes)
        mended = [hits.searched != own.text for hits, own in zip(found, wishes, strict=True)]
        results = [self._results(*told) for told in zip(needs, found, mended, counts, strict=True)]
        return [replace(own, beyond_price=place in beyond) for place, own in enumerate(results)]

    def _found(self, queries: Sequence[Query], wishes: Sequence[Wishes]) -> list[Hits]:
        asked = zip(queries, wishes, strict=True)
        return self._searcher.search([replace(one, text=own.text, asked=own.of(one.asked)) for one, own in asked])

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
        """What the shop knows: its answer to this very question, on the product or to all; else the attribute that
        is asked for; else its reply to a question like it; else what is read in the product's texts and reviews.

        Args:
            question: in any language that the shop has answered questions in.
            item_id: of the product that it is about.

        Raises:
            UnknownProductError: there is no such product.
        """
        return self.replying.answer(question, None if item_id is None else self.row(item_id))

    def reply(self, message: str, item_id: str | None = None) -> Service:
        """What the customer service says: an answer to the question, or the shop's own reply to what the message wants;
        where neither is sure, a person is to answer.

        Args:
            message: of the shopper.
            item_id: of the product that is looked at.

        Raises:
            UnknownProductError: there is no such product.
        """
        return self.replying.reply(message, None if item_id is None else self.row(item_id))

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
