"""What a query says of the price, and of what a product is not to be: not words to look for, but bounds to keep to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from shopguide.guide.mentions import Mentions
from shopguide.guide.shelf import Asked

CURRENCY = r"(?:[$€£¥￥]|(?:usd|euros?|eur|gbp|cny|rmb|dollars?|pounds?|yuan|bucks)\b|元|块钱|块)"
NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,7}(?:[.,]\d{1,2})?)(?!\d)"
PRICE = rf"{CURRENCY}?\s*{NUMBER}\s*{CURRENCY}?"
ENDS = re.compile(r"\s*$|\s*[,;，；]|\s+(?:for|with|in|by|and|or|from|please)\b", re.IGNORECASE)
"""After a number without a currency: what follows is no unit, so that it is a price."""
PATTERNS = tuple(
    (re.compile(pattern, re.IGNORECASE), bounds)
    for pattern, bounds in (
        (rf"\b(?:between|from)\s+{PRICE}\s*(?:and|to|-)\s*{PRICE}", "both"),
        (rf"{CURRENCY}\s*{NUMBER}\s*[-–~]\s*{PRICE}", "both"),
        (rf"{NUMBER}\s*(?:[-–~到至]|\bto\b)\s*{NUMBER}\s*{CURRENCY}", "both"),
        (rf"\b(?:under|below|less than|up to|at most|no more than|cheaper than)\s+{PRICE}", "to"),
        (rf"\b(?:over|above|more than|at least|no less than)\s+{PRICE}", "from"),
        (rf"{NUMBER}\s*{CURRENCY}?\s*(?:以下|以内|之内)", "to"),
        (rf"(?:低于|不超过|不到|少于)\s*{NUMBER}\s*{CURRENCY}?", "to"),
        (rf"{NUMBER}\s*{CURRENCY}?\s*(?:以上|起)", "from"),
        (rf"(?:高于|超过)\s*{NUMBER}\s*{CURRENCY}?", "from"),
    )
)
ENGLISH = re.compile(r"[a-z]", re.IGNORECASE)
NOT = re.compile(r"(?:\b(?:not|no|without|except|non)\b[\s-]*|不要|不是|除了|非)$", re.IGNORECASE)


@dataclass(frozen=True)
class Wishes:
    """A query, and what it says that is not looked for as words."""

    text: str
    """What is left of the query."""
    price_from: float | None = None
    price_to: float | None = None
    without: Mapping[str, list[str]] = field(default_factory=dict)
    """Facet → values that no product is to have."""

    def of(self, asked: Asked) -> Asked:
        """What products are to be like, with what was asked for besides, which goes first."""
        low = self.price_from if asked.price_from is None else asked.price_from
        high = self.price_to if asked.price_to is None else asked.price_to
        return Asked(asked.filters, low, high, {**self.without, **asked.without})


def read_wishes(query: str, mentions: Mentions, priced: bool = True) -> Wishes:
    """`red dress under 50, not silk` → `red dress` below 50 without the material silk.

    A number is a price where it has a currency, or where nothing follows that could be its unit; of what is not wanted,
    only values of facets count. A query that says nothing else is left as it is.

    Args:
        query: of a shopper.
        mentions: of the catalogue's values.
        priced: whether its products have prices.
    """
    low, high, text = _priced(query) if priced else (None, None, query)
    without, text = _without(text, mentions)
    if text == query:
        return Wishes(query)
    text = re.sub(r"[\s,;，；、]+$", "", " ".join(text.split()))
    return Wishes(text, low, high, without) if text else Wishes(query)


def _priced(query: str) -> tuple[float | None, float | None, str]:
    for pattern, bounds in PATTERNS:
        for match in pattern.finditer(query):
            numbers = sorted(_number(own) for own in match.groups() if own and own[0].isdigit())
            is_money = re.search(CURRENCY, match.group(), re.IGNORECASE)
            if not is_money and ENGLISH.match(match.group()) and not ENDS.match(query[match.end() :]):
                continue
            low, high = (numbers[0] if bounds != "to" else None), (numbers[-1] if bounds != "from" else None)
            return low, high, f"{query[: match.start()]} {query[match.end() :]}"
    return None, None, query


def _number(text: str) -> float:
    return float(text.replace(",", "") if re.search(r",\d{3}", text) else text.replace(",", "."))


def _without(query: str, mentions: Mentions) -> tuple[dict[str, list[str]], str]:
    """Facet → values after a word of refusal, and the query without both."""
    found: dict[str, list[str]] = {}
    for mark in reversed(mentions.find(query)):
        refused = NOT.search(query[: mark.start])
        if refused is not None:
            found.setdefault(mark.label, []).append(mark.text)
            query = f"{query[: refused.start()]} {query[mark.end :]}"
    return found, query
