"""Which field of a product a question asks for: it says the field's name, or a value.

A question that says anything else asks for something else, and is left to those who know more.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shopguide.guide.mentions import Mentions
from shopguide.guide.phrases import plain
from shopguide.guide.shelf import CATEGORY, plain_value
from shopguide.text.words import UNSPACED, WORD

PRICE = re.compile(r"\bhow much (?:is|does|do|are)\b|\b(?:price|costs?)\b|多少钱|价格|售价|几块钱", re.IGNORECASE)
IS = "is|are|it|its|this|that|these|they|an?|the|one|product|item|[是的为这款它件条双台个吗呢啊呀]"
"""Words of a question whether a product is of a value."""
ASKING = re.compile(
    f"{IS}|what|whats|s|which|does|do|has|have|them|of|in|on|with|by|for|made|come|comes|how|much|would|please|tell|me|any"
    "|kind|[有用请问什么哪部只要卖多少些商产品一几嘛]"
)
"""Words of a question that say of nothing what is asked for."""
WHETHER = re.compile(IS)
SPELT = 5
"""Letters of a word that may be spelt in another way, by one of them."""
UNSAID = {"product", "item", "main"}
"""Words of a name that need not be said: they do not make it the name of a part."""
SHORT = 2
"""Characters of a name in script without spaces that is of the whole, not of a part."""


def asked_field(question: str, fields: Mapping[str, Any], mentions: Mentions) -> str | None:
    """The field that a question asks for; None: it names none, or several, or asks for something of its own.

    Args:
        question: of a shopper, on one product.
        fields: of the product, by name.
        mentions: finds values that the catalogue's products have.
    """
    if PRICE.search(question):
        rest = _without_own(PRICE.sub(" ", question), fields, mentions)
        return "price" if _only(ASKING, rest) else None
    said = plain(question).split()
    names = [name for name in fields if name]
    if any(word.isdigit() for word in said):
        return None
    return _named(said, names) or _unspaced(question, names) or _valued(question, names, mentions)


def _named(said: Sequence[str], names: Sequence[str]) -> str | None:
    """What is asked for is a name, perhaps without what need not be said: `colour` for `product_colour`; of several the
    longest that is said whole.
    """
    words = {name: name.replace("_", " ").casefold().split() for name in names}
    every = {word for own in words.values() for word in own}
    spelt = {_spelt(word, every) for word in said}
    asked = {word for word in spelt if not ASKING.fullmatch(word)}
    found = [name for name, own in words.items() if asked and asked.issubset(own) and {*own} - spelt <= UNSAID]
    whole = [name for name in found if spelt.issuperset(words[name])]
    if whole:
        return max(whole, key=lambda name: len(words[name]))
    return found[0] if len(found) == 1 else None


def _spelt(word: str, known: Iterable[str]) -> str:
    """The word as it is known: `colour` for `color`."""
    from rapidfuzz import process
    from rapidfuzz.distance import DamerauLevenshtein

    if len(word) < SPELT or not word.isalpha():
        return word
    alike = [one for one in known if one[0] == word[0]]
    near = process.extractOne(word, alike, scorer=DamerauLevenshtein.distance, score_cutoff=1)
    return str(near[0]) if near else word


def _unspaced(question: str, names: Sequence[str]) -> str | None:
    """A name in script without spaces stands in a question that says nothing else; of several, the longest."""
    found = [name for name in names if UNSPACED.match(name) and name in question]
    asked = [name for name in found if _only(ASKING, question.replace(name, " "))]
    return max(asked, key=len, default=None)


def _valued(question: str, names: Sequence[str], mentions: Mentions) -> str | None:
    """Whether the product is of one value is all that is asked: `is it red`."""
    marks = mentions.find(question)
    if len(marks) != 1 or marks[0].label not in names or not _of_the_whole(marks[0].label):
        return None
    rest = f"{question[: marks[0].start]} {question[marks[0].end :]}"
    return marks[0].label if rest.strip() and _only(WHETHER, rest) else None


def _of_the_whole(name: str) -> bool:
    """Whether a field is of the product, not of a part of it: `colour`, not `strap_colour`."""
    if UNSPACED.match(name):
        return len(name) <= SHORT
    return name != CATEGORY and len({*name.replace("_", " ").split()} - UNSAID) == 1


def _without_own(text: str, fields: Mapping[str, Any], mentions: Mentions) -> str:
    """Without what the product is called: values that it has."""
    own = {plain_value(name, str(value)) for name, value in fields.items() if value}
    for mark in reversed(mentions.find(text)):
        if plain_value("", mark.text) in own:
            text = f"{text[: mark.start]} {text[mark.end :]}"
    return text


def _only(words: re.Pattern[str], text: str) -> bool:
    return all(words.fullmatch(word) for word in WORD.findall(text.casefold()) if word[0].isalnum())
