"""Whole words for masking: the tokenizer's own words, or a segmenter's where Chinese is not written with spaces."""

from collections.abc import Callable, Container, Sequence

import numpy as np

from shopguide.errors import ConfigError
from shopguide.text.masking import NO_WORD
from shopguide.text.phrases import longest_phrases
from shopguide.text.words import word_ranges

Segmenter = Callable[[str], list[tuple[int, int]]]
"""Text → the [start, end) character offsets of its words, in order."""


def make_segmenter(name: str | None) -> Segmenter | None:
    """The named segmenter; None: words as the tokenizer cuts them (each Chinese character one).

    Raises:
        ConfigError: its package is not installed.
    """
    if name is None:
        return None
    try:
        import jieba
    except ImportError as error:
        raise ConfigError(
            "pretrain.masking.segmenter=jieba: expected the package jieba, found none; pip install 'shopguide[zh]'"
        ) from error
    jieba.setLogLevel("ERROR")

    def segment(text: str) -> list[tuple[int, int]]:
        return [(start, end) for _, start, end in jieba.tokenize(text)]

    return segment


def joining(phrases: Container[str], base: Segmenter | None) -> Segmenter:
    """Words as `base` finds them (None: as they are written), with each known phrase one word.

    A masked phrase is then restored as a whole (Sun et al. 2019, ERNIE: entity-level masking).
    """

    def segment(text: str) -> list[tuple[int, int]]:
        words = base(text) if base is not None else [(int(start), int(end)) for start, end in word_ranges(text)]
        whole = list(longest_phrases(text, phrases))
        apart = [word for word in words if not any(start < word[1] and word[0] < end for start, end in whole)]
        return sorted(whole + apart)

    return segment


def word_numbers(
    words: Sequence[int | None], offsets: Sequence[tuple[int, int]], spans: list[tuple[int, int]]
) -> np.ndarray:
    """(L,) number of the segmenter's word to which each token belongs, -1 for special tokens.

    Args:
        words: (L,) the tokenizer's own word numbers; None for special tokens.
        offsets: (L,) character offsets of each token.
        spans: a segmenter's words; tokens that begin in one span and are of the tokenizer's words that begin there
            belong together.
    """
    own = np.array([NO_WORD if word is None else word for word in words], dtype=np.int32)
    ends = np.array([end for _, end in spans])
    starts = np.array([start for start, _ in offsets])
    by_span = np.searchsorted(ends, starts, side="right").astype(np.int32)
    # A tokenizer's word that crosses a segmenter's border stays whole: it takes its first piece's span.
    for word in np.unique(own[own != NO_WORD]):
        pieces = own == word
        by_span[pieces] = by_span[pieces].min()
    return np.where(own == NO_WORD, NO_WORD, by_span).astype(np.int32)
