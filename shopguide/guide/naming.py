"""Which field of a product a question asks for: it says the field's name, or the last words of it, or a value."""

import re
from collections.abc import Iterable, Sequence

from shopguide.guide.mentions import Mentions
from shopguide.guide.phrases import plain
from shopguide.text.words import UNSPACED, WORD, terms

PRICE = re.compile(r"\bhow much (?:is|does|do|are)\b|\b(?:price|costs?)\b|多少钱|价格|售价|几块钱", re.IGNORECASE)
SHORT = 5
"""Words of a question that may name a field beside others."""
ASKING = re.compile(
    "what|which|whats|is|are|does|do|has|have|an?|the|its?|this|that|these|they|them|of|in|on|with|by|for|made|come|comes"
    "|how|much|please|tell|me|any|product|item|one|kind|[是的为这款它有用请问什么哪个吗呢品件条双台部只要卖]"
)
"""Words of a question that say of nothing what is asked for."""
SPELT = 4
"""Letters of a word that may be spelt in another way, by one of them."""


def asked_field(question: str, names: Iterable[str], mentions: Mentions) -> str | None:
    """The field that a question asks for; None: it names none, or several, or asks for something of its own.

    Args:
        question: of a shopper, on one product.
        names: of the product's fields.
        mentions: finds values that the catalogue's products have.
    """
    said = plain(question).split()
    if PRICE.search(question) and _only_asks(_without_values(PRICE.sub(" ", question), mentions)):
        return "price"
    known = [name for name in names if name]
    if any(word.isdigit() for word in said):
        return None
    return (
        _named(said, known) or _ended(said, known) or _unspaced(question, known) or _valued(question, known, mentions)
    )


def _named(said: Sequence[str], names: Sequence[str]) -> str | None:
    """All of a name stands in a short question."""
    if len(said) > SHORT:
        return None
    return next((name for name in names if {*said}.issuperset(terms(name.replace("_", " ")))), None)


def _ended(said: Sequence[str], names: Sequence[str]) -> str | None:
    """What is asked for is the last word of one name, or others of it, too: `colour` of `product_colour`."""
    words = {name: name.replace("_", " ").casefold().split() for name in names}
    every = {word for own in words.values() for word in own}
    asked = {_spelt(word, every) for word in said if not ASKING.fullmatch(word)}
    found = [name for name, own in words.items() if own and own[-1] in asked and asked.issubset(own)]
    found = [name for name in found if asked.issuperset(words[name])] or found
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
    asked = [name for name in found if _only_asks(question.replace(name, " "))]
    return max(asked, key=len, default=None)


def _valued(question: str, names: Sequence[str], mentions: Mentions) -> str | None:
    """Whether the product has one value is all that is asked: `is it red`."""
    marks = mentions.find(question)
    if len(marks) != 1 or marks[0].label not in names:
        return None
    rest = f"{question[: marks[0].start]} {question[marks[0].end :]}"
    return marks[0].label if rest.strip() and _only_asks(rest) else None


def _without_values(text: str, mentions: Mentions) -> str:
    for mark in reversed(mentions.find(text)):
        text = f"{text[: mark.start]} {text[mark.end :]}"
    return text


def _only_asks(text: str) -> bool:
    return all(ASKING.fullmatch(word) for word in WORD.findall(text.casefold()) if word[0].isalnum())
