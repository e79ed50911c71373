"""What the guide says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Share:
    """A class and its probability."""

    label: str
    probability: float


@dataclass(frozen=True)
class Marked:
    """A stretch of the query that says what the product is to be like."""

    start: int
    end: int
    text: str
    label: str
    score: float


@dataclass(frozen=True)
class Need:
    """What a shopper needs."""

    query: str
    """What is left of it when bounds of the price and what is not wanted are understood."""
    category: list[Share]
    """The most probable ones; none without a model of the task `need`."""
    spans: list[Marked]
    price_from: float | None = None
    price_to: float | None = None
    without: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Facet → values that are not wanted."""


@dataclass(frozen=True)
class Item:
    """A product that was found."""

    item_id: str
    title: str
    category: str | None
    price: float | None
    attributes: Mapping[str, str]
    has_image: bool
    score: float
    """Of search, 1 / rank; of similar and recommended products, a cosine, or how popular they are."""
    because: str | None = None
    """item_id of the product in the history that it is most like."""


@dataclass(frozen=True)
class Results:
    """What a query found."""

    need: Need
    searched: str
    """What is left of the query, mended where words of it are in no product."""
    mended: bool
    """Whether it was."""
    items: list[Item]
    fits: bool | None
    """Whether something may be what is looked for; False: these are only the nearest, farther than what others found;
    None: what others found is not known."""
    facets: Mapping[str, Sequence[tuple[str, int]]]
    """Facet → its most frequent values among the products found, and of how many each is."""
    beyond_price: bool = False
    """Whether nothing that fits is known to have a price such as the query names, and these were found without it."""


@dataclass(frozen=True)
class Evidence:
    """What an answer rests on."""

    source: str
    """`attribute`, `description` or `review` of the product, `dialogue` on it, or `faq`."""
    item_id: str | None
    name: str
    """Of the attribute; of a text, the source; else the question."""
    text: str


@dataclass(frozen=True)
class Answer:
    """An answer to a question; None: it is not known."""

    answer: str | None
    evidence: list[Evidence] = field(default_factory=list)


@dataclass(frozen=True)
class Service:
    """What the customer service says to a message."""

    intent: list[Share]
    slots: Mapping[str, Sequence[str]]
    """`order` and `item_id`, as they stand in the message."""
    reply: Answer
    handover: bool
    """Whether a person is to answer, in place of the reply or after it."""
