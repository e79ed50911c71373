"""Known phrases in a text: brands, product words, attribute values, whatever a list holds."""

from collections.abc import Container, Iterator

from shopguide.text.words import word_ranges

LONGEST = 12
"""Words of a phrase that is looked for."""


def longest_phrases(text: str, phrases: Container[str]) -> Iterator[tuple[int, int]]:
    """The [start, end) characters of known phrases of whole words, from left to right, at each place the longest one.

    Args:
        text: as it is.
        phrases: in lower case (`str.casefold`).
    """
    words, at = word_ranges(text), 0
    while at < len(words):
        for last in range(min(at + LONGEST, len(words)), at, -1):
            start, end = int(words[at, 0]), int(words[last - 1, 1])
            if text[start:end].casefold() in phrases:
                yield start, end
                at = last - 1
                break
        at += 1
