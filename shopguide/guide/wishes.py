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
NUMERAL = "(?:[一二两三四五六七八九]?[十百千万]零?)+[一二三四五六七八九]?"
NUMBER = (
    r"(?<![a-z\d.,一二两三四五六七八九十百千万块元])"
    rf"(\d{{1,3}}(?:,\d{{3}})+(?:\.\d{{1,2}})?|\d{{1,7}}(?:[.,]\d{{1,2}})?|{NUMERAL})(?![\d一二两三四五六七八九])"
)
AMOUNT = rf"(?:{MONEY}\s?)?{NUMBER}(\s?(?:k(?![a-z])|百|千|万))?(?:\s?{MONEY})?"
DIGITS = "一二三四五六七八九两十百千万"
"""Those from which a number in words begins; the first nine are 1 to 9."""
TIMES = {"": 1, "k": 1000, "百": 100, "千": 1000, "万": 10_000}
AT_MOST = (
    r"(?:\b(?:at most|up to|no(?:t)? more than|not (?:over|above)|maximum(?: price)?(?: of)?|max price(?: of)?)\s+"
    r"|(?:不高于|不超过|不到|最多|至多)\s*)"
)
AT_LEAST = (
    r"(?:\b(?:at least|no(?:t)? less than|not (?:under|below)|minimum(?: price)?(?: of)?|min price(?: of)?)\s+"
    r"|(?:不低于|不少于|至少)\s*)"
)
LESS = r"(?:(?<!not )\b(?:under|below|less than|cheaper than)\s+|(?<!不)(?:低于|少于|小于)\s*)"
MORE = r"(?:(?<!not )\b(?:over|above|more than)\s+|(?<!不)(?:高于|超过|大于)\s*)"
ABOUT = r"(?:\b(?:around|about|approximately)\s+|(?:大约|大概)\s*)"
OR_LESS = r"(?:\b(?:or|and)\s+(?:less|under|below|cheaper)\b|以下|以内|之内)"
OR_MORE = r"(?:\b(?:or|and)\s+(?:more|over|above|up)\b|以上|起)"
OR_SO = r"左右(?!手(?!机)|脚)"
NEAR = 0.2
"""How far from a price `around` it reaches, as a share of it."""
BOUNDS = tuple(
    (re.compile(pattern, re.IGNORECASE), bounds)
    for pattern, bounds in (
        (rf"\bbetween\s+{AMOUNT}\s*(?:\band\b|\bto\b|[-–])\s*{AMOUNT}", "both"),
        (rf"(?:\bfrom\s+)?{AMOUNT}\s*(?:[-–~到至]|\bto\b)\s*{AMOUNT}(?:\s*(?:{OR_SO}|{OR_LESS}))?", "both"),
        (AT_MOST + AMOUNT, "to"),
        (AT_LEAST + AMOUNT, "from"),
        (LESS + AMOUNT, "to"),
        (MORE + AMOUNT, "from"),
        (rf"{AMOUNT}\s*{OR_LESS}", "to"),
        (rf"{AMOUNT}\s*{OR_MORE}", "from"),
        (rf"{ABOUT}{AMOUNT}(?:\s*{OR_SO})?", "about"),
        (rf"{AMOUNT}\s*{OR_SO}", "about"),
    )
)
BEFORE = re.compile(rf"\bbetween\b|{AT_MOST}|{AT_LEAST}|{LESS}|{MORE}", re.IGNORECASE)
BEHIND = re.compile(r"(?:\bor (?:less|under|below|cheaper)|以下|以内|之内|左右)$", re.IGNORECASE)
"""What makes a number without a currency a price."""
LEAST, SPOKEN = 10, 100
"""Of a price without a currency; and of one before 左右, or in words."""
RANGE = re.compile(r"\d\s*[-–~到至]\s*$")
"""Before a number that is the end of a range."""
WEIGHT = re.compile(r"pounds?\b", re.IGNORECASE)
MEASURED = re.compile("\\s*(?:毫升|厘米|毫米|公斤|公里|毫安|[克升寸斤米码岁天片张页瓦])")
UNITS = (
    r"\s*(?:[^\sa-z,;.?!，；。？！的]|(?:(?!(?:by|or|is)\b)[a-z]{1,2}|inch(?:es)?|feet|foot|meters?|metres?|miles?|lbs?|pounds?|ounces?|grams?|kilos?"
    r"|litres?|liters?|watts?|volts?|mah|mhz|ghz|pcs|pieces?|packs?|ports?|pages?|people|persons?|days?|weeks?|months?|hours?"
    r"|minutes?|degrees?|percent|pixels?|rpm|bit|core)\b)"
)
ENDS = re.compile(rf"(?!{UNITS})", re.IGNORECASE)
"""After a number without a currency: no unit."""
PEOPLE = re.compile(
    r"\b(?:kids?|child(?:ren)?|boys?|girls?|toddlers?|bab(?:y|ies)|wom[ae]n|m[ae]n|seniors?|adults?|age[ds]?|sizes?|years?)\b"
    "|岁|身高|体重|尺码|码|号|女生|男生",
    re.IGNORECASE,
)
REFUSED_BEFORE = re.compile(r"\b(?:not|no|never|\w+n't)\b|不", re.IGNORECASE)
NOT = re.compile(
    r"(?:\b(?:not(?:\s+made)?(?:\s+(?:in|of|from|out of))?|without|except|other than|no|non)\b[\s-]*"
    r"|(?<![是要含])不(?:要|含|是)\s*)$",
    re.IGNORECASE,
)
ASKED = re.compile("吗|是否|有没有")
"""Of a question: what it refuses it asks for."""
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
        """What products are to be like, with what was asked for besides, whose price takes the place of the query's."""
        own = asked if asked.names_price else self
        return Asked(asked.filters, own.price_from, own.price_to, {**self.without, **asked.without})

    @property
    def names_price(self) -> bool:
        """Whether it says anything of the price."""
        return self.price_from is not None or self.price_to is not None

    def at_any_price(self) -> "Wishes":
        """The same without what it says of the price."""
        return replace(self, price_from=None, price_to=None)


def read_wishes(query: str, mentions: Mentions, priced: bool = True) -> Wishes:
    """`red dress under 50, not silk` → `red dress` below 50 without the material silk.

    Of what is not wanted, only values of facets count. A query that says nothing else keeps its words.

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
    return Wishes(text or query, low, high, without)


def _priced(query: str) -> tuple[float | None, float | None, str]:
    found: dict[str, float] = {}
    rest = query
    for pattern, bounds in BOUNDS:
        for match in pattern.finditer(rest):
            wanted = ("from", "to") if bounds in ("both", "about") else (bounds,)
            if any(name in found for name in wanted) or not _is_price(rest, match):
                continue
            numbers = sorted(_numbers(match))
            if bounds == "about":
                numbers = [round(numbers[0] * share, 2) for share in (1 - NEAR, 1 + NEAR)]
            found |= dict(zip(wanted, numbers, strict=True))
            rest = f"{rest[: match.start()]} {rest[match.end() :]}"
            break
    return found.get("from"), found.get("to"), rest


def _is_price(query: str, match: re.Match[str]) -> bool:
    own, before = match.group(), query[: match.start()]
    if re.match(MORE, own, re.IGNORECASE) and REFUSED_BEFORE.search(before):
        return False  # `do not want to pay more than`: who knows
    if RANGE.search(before) or (WEIGHT.search(own) and not BEFORE.match(own)):
        return False
    if re.search(MONEY, own, re.IGNORECASE):
        return True
    behind = query[match.end() :]
    spoken = own.endswith("左右") or any(group and group[0] in DIGITS for group in match.groups())
    is_bare = (BEHIND.search(own) and _is_last(own, behind)) or (BEFORE.match(own) and ENDS.match(behind))
    return bool(is_bare) and min(_numbers(match)) >= (SPOKEN if spoken else LEAST) and PEOPLE.search(query) is None


def _numbers(match: re.Match[str]) -> list[float]:
    """Of the amounts of a bound, each a number and what it is times."""
    groups = [group or "" for group in match.groups()]
    return [_number(*groups[place : place + 2]) for place in range(0, len(groups), 2)]


def _is_last(own: str, behind: str) -> bool:
    """Whether nothing behind says of what a number is: after `or less` and its kin anything does."""
    return not behind.strip() if own[-1].isascii() else MEASURED.match(behind) is None


def _number(text: str, times: str) -> float:
    if text[0] in DIGITS:
        return _numeral(text) * TIMES[times.strip().lower()]
    plain = text.replace(",", "") if re.search(r",\d{3}", text) else text.replace(",", ".")
    return float(plain) * TIMES[times.strip().lower()]


def _numeral(text: str) -> float:
    """`两千五` → 2500, `一百零五` → 105, `十二` → 12."""
    total, section, digit, last = 0, 0, 0, 1
    for sign in text:
        if sign in DIGITS[:10]:
            digit = DIGITS.index(sign) + 1 if sign != "两" else 2
        elif sign == "零":
            last = 10
        elif sign == "万":
            total, section, digit, last = max(total + section + digit, 1) * 10_000, 0, 0, 10_000
        else:
            last = {"十": 10, "百": 100, "千": 1000}[sign]
            section, digit = section + max(digit, 1) * last, 0
    return float(total + section + digit * max(last // 10, 1))


def _without(query: str, mentions: Mentions) -> tuple[dict[str, list[str]], str]:
    """Facet → values after a word of refusal, and those of the same facet that are joined to them; and the query
    without them.
    """
    found: dict[str, list[str]] = {}
    marks = [] if ASKED.search(query) else mentions.find(query)
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
