"""What may be asked over HTTP: fields, types and limits."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from shopguide.guide.searching import Query
from shopguide.guide.shelf import Asked
from shopguide.records.schema import BadValueError, text

LETTERS = 500
"""Of a query, question or message."""
ITEMS = 100
"""Of a history."""


def _clean(value: str) -> str:
    try:
        found = text(value)
    except BadValueError as error:
        raise ValueError(str(error)) from error
    if found is None:
        raise ValueError("expected words, found none")
    return found


def _clean_or_empty(value: str) -> str:
    return _clean(value) if value.strip() else ""


Words = Annotated[str, Field(max_length=LETTERS), AfterValidator(_clean)]
Maybe = Annotated[str, Field(max_length=LETTERS), AfterValidator(_clean_or_empty)]
ItemId = Annotated[str, Field(max_length=LETTERS), AfterValidator(_clean)]
History = Annotated[list[ItemId], Field(max_length=ITEMS)]
Filters = Annotated[dict[Words, Annotated[list[Words], Field(min_length=1, max_length=ITEMS)]], Field(max_length=20)]
Count = Annotated[int, Field(ge=1, le=50)]


class Request(BaseModel):
    """What all have: no other fields than theirs, no value for another type's."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class UnderstandRequest(Request):
    """A query, and what its shopper has seen (latest last)."""

    query: Words
    viewed_items: History = []
    purchased_items: History = []


class WithFilters(Request):
    """What products are to be like."""

    filters: Filters = {}
    price_from: float | None = Field(default=None, ge=0)
    price_to: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.price_from is not None and self.price_to is not None and self.price_from > self.price_to:
            raise ValueError(f"expected price_from ≤ price_to, found {self.price_from:g} and {self.price_to:g}")
        return self

    def asked(self) -> Asked:
        """For the shelf."""
        return Asked(self.filters, self.price_from, self.price_to)


class SearchRequest(WithFilters):
    """A query; with `mend=false` it is taken to the letter: no word is mended, no bound of the price is read."""

    query: Words
    count: Count = 10
    rerank: bool = True
    mend: bool = True

    def typed(self) -> Query:
        """For the searcher."""
        return Query(self.query, self.asked(), self.rerank, self.mend)


class RecommendRequest(WithFilters):
    """A history (latest last), and what is asked for besides."""

    viewed_items: History = []
    purchased_items: History = []
    query: Maybe = ""
    count: Count = 10
    diversity: float = Field(default=0.0, ge=0, le=1)


class SimilarRequest(Request):
    """A product."""

    item_id: ItemId
    count: Count = 10


class AnswerRequest(Request):
    """A question, on a product or on the shop."""

    question: Words
    item_id: ItemId | None = None


class ReplyRequest(Request):
    """A message to the service, and the product that is looked at."""

    message: Words
    item_id: ItemId | None = None
