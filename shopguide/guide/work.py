"""How each kind of request is answered: by one pass of the models for all that wait."""

from collections.abc import Callable, Sequence
from typing import Any

from shopguide.guide.desk import Work
from shopguide.guide.guide import Guide
from shopguide.guide.recommending import Seen
from shopguide.guide.requests import (
    AnswerRequest,
    RecommendRequest,
    ReplyRequest,
    SearchRequest,
    SimilarRequest,
    UnderstandRequest,
)
from shopguide.guide.results import Answer, Item, Need, Results, Service


def work_of(guide: Guide, kind: str) -> Work:
    """What answers requests of a kind.

    Args:
        guide: that answers.
        kind: `understand`, `search`, `similar`, `recommend`, `answer`, `reply` or `product`.
    """
    known: dict[str, Work] = {
        "understand": lambda requests: _understood(guide, requests),
        "search": lambda requests: _searched(guide, requests),
        "recommend": _each(lambda request: _recommended(guide, request)),
        "similar": _each(lambda request: _similar(guide, request)),
        "answer": _each(lambda request: _answer(guide, request)),
        "reply": _each(lambda request: _reply(guide, request)),
        "product": _each(lambda item_id: guide.item(guide.row(item_id))),
    }
    return known[kind]


def _each(one: Callable[[Any], Any]) -> Work:
    return lambda requests: [one(request) for request in requests]


def _understood(guide: Guide, requests: Sequence[UnderstandRequest]) -> list[Need]:
    seen = [Seen(guide.rows(r.viewed_items), guide.rows(r.purchased_items)) for r in requests]
    return guide.understand([r.query for r in requests], seen)


def _searched(guide: Guide, requests: Sequence[SearchRequest]) -> list[Results]:
    return guide.search([r.typed() for r in requests], [r.count for r in requests])


def _recommended(guide: Guide, request: RecommendRequest) -> list[Item]:
    history = request.viewed_items, request.purchased_items
    return guide.recommend(*history, request.query, request.count, request.asked(), request.diversity)


def _similar(guide: Guide, request: SimilarRequest) -> list[Item]:
    return guide.similar(request.item_id, request.count)


def _answer(guide: Guide, request: AnswerRequest) -> Answer:
    return guide.answer(request.question, request.item_id)


def _reply(guide: Guide, request: ReplyRequest) -> Service:
    return guide.reply(request.message, request.item_id)
