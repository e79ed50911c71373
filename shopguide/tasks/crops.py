"""Queries that nobody asked: a run of words of a product's own text, as short as what shoppers type.

A text and a crop of it are alike without any label (independent cropping, Izacard et al. 2022, of which one side is the
whole text here): from them a network learns a catalogue in which nobody has searched yet.
"""

import numpy as np

from shopguide.text.words import word_ranges

SHORTEST, LONGEST = 2, 6
"""Words of a crop; characters, in script without spaces."""


def crop(text: str, row: int, number: int = 0) -> str:
    """From `SHORTEST` to `LONGEST` words that stand together; all of a text that has fewer, and nothing of one without.

    Args:
        text: of a product.
        row: of the product, which decides the draw.
        number: of the text among those of the product, likewise.
    """
    words = [(start, end) for start, end in word_ranges(text).tolist() if text[start].isalnum()]
    if not words:
        return ""
    draw = np.random.Generator(np.random.Philox(key=[row, number]))
    count = min(int(draw.integers(SHORTEST, LONGEST + 1)), len(words))
    first = int(draw.integers(len(words) - count + 1))
    return text[words[first][0] : words[first + count - 1][1]]
