"""What a query says in the catalogue's own words: the values of facets that stand in it."""

from shopguide.guide.results import Marked
from shopguide.guide.shelf import Shelf, plain_value
from shopguide.text.words import WORD

MOST_WORDS = 5


class Mentions:
    """Finds the values of a shelf's facets in texts; of a category, the last level of its path."""

    def __init__(self, shelf: Shelf) -> None:
        self._facet: dict[str, str] = {}
        for name, facet in shelf.facets.items():
            for value in facet.values:
                self._facet.setdefault(plain_value(name, value), name)

    def find(self, query: str) -> list[Marked]:
        """The values, in the order of the query; of those that overlap, the longest."""
        words = [match.span() for match in WORD.finditer(query)]
        found: list[Marked] = []
        place = 0
        while place < len(words):
            ends = range(min(place + MOST_WORDS, len(words)), place, -1)
            start = words[place][0]
            end = next((e for e in ends if _said(query[start : words[e - 1][1]]) in self._facet), None)
            if end is not None:
                text = query[start : words[end - 1][1]]
                found.append(Marked(start, words[end - 1][1], text, self._facet[_said(text)], 1.0))
            place = end or place + 1
        return found


def _said(text: str) -> str:
    return plain_value("", text)
