"""What a query says of the price, and of what a product is not to be: not words to look for, but bounds to keep to.

A number is a price where it stands with a currency. Without one it is behind a word such as `under`, `over`, `between`,
or before 以下, 以内: ten or more, no unit after it, in a query that is not about people and sizes. What is in doubt
stays in the query.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from shopguide.guide.mentions import Mentions
from shopguide.guide.results import Marked
from shopguide.guide.shelf import Asked

MONEY = r"(?:[$€£¥￥]|(?<![a-z])(?:usd|euros?|eur|gbp|cny|rmb|dollars?|pounds?|yuan|bucks)\b|块钱|元|块)"
NUMBER = r"(?<![a-z\d.,])(\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,7}(?:[.,]\d{1,2})?)(?![\d])"
AMOUNT = rf"(?:{MONEY}\s?)?{NUMBER}(\s?(?:k(?![a-z])|百|千|万))?(?:\s?{MONEY})?"
TIMES = {"": 1, "k": 1000, "百": 100, "千": 1000, "万": 10_000}
AT_MOST = r"(?:\b(?:at most|up to|no(?:t)? more than|not (?:over|above))\s+|(?:不高于|不超过|不到|最多|至多)\s*)"
AT_LEAST = r"(?:\b(?:at least|no(?:t)? less than|not (?:under|below))\s+|(?:不低于|不少于|至少)\s*)"
LESS = r"(?:(?<!not )\b(?:under|below|less than|cheaper than)\s+|(?<!不)(?:低于|少于)\s*)"
MORE = r"(?:(?<!not )\b(?:over|above|more than)\s+|(?<!不)(?:高于|超过)\s*)"
BOUNDS = tuple(
    (re.compile(pattern, re.IGNORECASE), bounds)
    for pattern, bounds in (
        (rf"\bbetween\s+{AMOUNT}\s*(?:\band\b|\bto\b|[-–])\s*{AMOUNT}", "both"),
        (rf"(?:\bfrom\s+)?{AMOUNT}\s*(?:[-–~到至]|\bto\b)\s*{AMOUNT}", "both"),
        (AT_MOST + AMOUNT, "to"),
        (AT_LEAST + AMOUNT, "from"),
        (LESS + AMOUNT, "to"),
        (MORE + AMOUNT, "from"),
        (rf"{AMOUNT}\s*(?:以下|以内|之内)", "to"),
        (rf"{AMOUNT}\s*(?:以上|起)", "from"),
    )
)
BEFORE = re.compile(rf"\bbetween\b|{AT_MOST}|{AT_LEAST}|{LESS}|{MORE}", re.IGNORECASE)
BEHIND = re.compile("(?:以下|以内|之内)$")
"""What makes a number without a currency a price."""
LEAST = 10
"""Of a price without a currency."""
UNITS = (
    r"\s*(?:[^\sa-z,;.?!，；。？！的]|(?:(?!(?:by|or|is)\b)[a-z]{1,2}|inch(?:es)?|feet|foot|meters?|metres?|miles?|lbs?|pounds?|ounces?|grams?|kilos?"
    r"|litres?|liters?|watts?|volts?|mah|mhz|ghz|pcs|pieces?|packs?|ports?|pages?|people|persons?|days?|weeks?|months?|hours?"
    r"|minutes?|degrees?|percent|pixels?|rpm|bit|core)\b)"
)
ENDS = re.compile(rf"(?!{UNITS})", re.IGNORECASE)
"""After a number without a currency: no unit."""
PEOPLE = re.compile(
    r"\b(?:kids?|child(?:ren)?|boys?|girls?|toddlers?|bab(?:y|ies)|wom[ae]n|m[ae]n|seniors?|adults?|age[ds]?|sizes?|years?)\b"
    "|岁|身高|体重|尺码|码|号",
    re.IGNORECASE,
)
REFUSED_BEFORE = re.compile(r"\b(?:not|no|never|\w+n't)\b|不", re.IGNORECASE)
NOT = re.compile(r"(?:\b(?:not|without|except|no)\b\s*|(?<![是要])不要\s*)$", re.IGNORECASE)
ALSO = re.compile(r"\s*(?:,|，|、|\b(?:or|and|nor)\b|和|或)\s*(?:(?:not|without|no)\s+|不要)?", re.IGNORECASE)
LEFT_OVER = re.compile(r"(?:[\s,;，；、]|\b(?:and|or|but)$)+$", re.IGNORECASE)


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

    @property
    def names_price(self) -> bool:
        """Whether it says anything of the price."""
        return self.price_from is not None or self.price_to is not None

    def at_any_price(self) -> "Wishes":
        """The same without what it says of the price."""
        return replace(self, price_from=None, price_to=None)


def read_wishes(query: str, mentions: Mentions, priced: bool = True) -> Wishes:
    """`red dress under 50, not silk` → `red dress` below 50 without the material silk.

    Of what is not wanted, only values of facets count. A query that says nothing else is left as it is.

    Args:
        query: of a shopper.
        mentions: of the catalogue's values.
        priced: whether its products have prices.
    """
    low, high, text = _priced(query) if priced else (None, None, query)
    without, text = _without(text, mentions)
    if text == query:
        return Wishes(query)
    text = LEFT_OVER.sub("", " ".join(text.split())).removeprefix("的")
    return Wishes(text, low, high, without) if text else Wishes(query)


def _priced(query: str) -> tuple[float | None, float | None, str]:
    found: dict[str, float] = {}
    rest = query
    for pattern, bounds in BOUNDS:
        for match in pattern.finditer(rest):
            wanted = ("from", "to") if bounds == "both" else (bounds,)
            if any(name in found for name in wanted) or not _is_price(rest, match):
                continue
            groups = [group or "" for group in match.groups()]
            numbers = sorted(_number(*groups[place : place + 2]) for place in range(0, len(groups), 2))
            found |= dict(zip(wanted, numbers, strict=True))
            rest = f"{rest[: match.start()]} {rest[match.end() :]}"
            break
    return found.get("from"), found.get("to"), rest


def _is_price(query: str, match: re.Match[str]) -> bool:
    own, before = match.group(), query[: match.start()]
    if re.match(MORE, own, re.IGNORECASE) and REFUSED_BEFORE.search(before):
        return False  # `do not want to pay more than`: who knows
    if re.search(MONEY, own, re.IGNORECASE):
        return True
    numbers = [_number(number, "") for number in match.groups() if number and number[0].isdigit()]
    is_bare = BEHIND.search(own) or (BEFORE.match(own) and ENDS.match(query[match.end() :]))
    return bool(is_bare) and min(numbers) >= LEAST and PEOPLE.search(query) is None


def _number(text: str, times: str) -> float:
    plain = text.replace(",", "") if re.search(r",\d{3}", text) else text.replace(",", ".")
    return float(plain) * TIMES[times.strip().lower()]


def _without(query: str, mentions: Mentions) -> tuple[dict[str, list[str]], str]:
    """Facet → values after a word of refusal, and those of the same facet that are joined to them; and the query
    without them.
    """
    found: dict[str, list[str]] = {}
    marks = mentions.find(query)
    place, kept, at = 0, "", 0
    while place < len(marks):
        refused = NOT.search(query, at, marks[place].start)
        if refused is None or marks[place].text[0].isdigit():  # `chanel no 5`
            place += 1
            continue
        last = _joined(query, marks, place)
        for mark in marks[place : last + 1]:
            found.setdefault(mark.label, []).append(mark.text)
        kept, at = f"{kept}{query[at : refused.start()]} ", marks[last].end
        place = last + 1
    return found, kept + query[at:]


def _joined(query: str, marks: Sequence[Marked], place: int) -> int:
    """The last of the values that are joined to one, of the same facet."""
    while place + 1 < len(marks) and marks[place + 1].label == marks[place].label:
        if not ALSO.fullmatch(query[marks[place].end : marks[place + 1].start]):
            break
        place += 1
    return place
