"""Texts whose words are tagged, as a loader serves them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from shopguide.text.batches import Index
from shopguide.text.masking import IGNORE
from shopguide.text.tags import Span, Tags
from shopguide.text.words import first_tokens, word_ranges


class TaggedTexts(Dataset[dict[str, np.ndarray]]):
    """Texts as token ids, with the tag of each word at its first token, and -100 elsewhere.

    Args:
        tokenizer: a fast one.
        first: the texts; where there is a second one, that one is tagged.
        second: of each pair.
        max_length: longer texts are cut off.
        tags: to encode with.
        spans: of each text; None: every word is O, which marks the places to be answered.
    """

    def __init__(
        self,
        tokenizer: Any,
        first: list[str],
        second: list[str] | None,
        max_length: int,
        tags: Tags,
        spans: Sequence[Sequence[Span]] | None = None,
    ) -> None:
        encoded = tokenizer(first, second, truncation=True, max_length=max_length)
        tagged = first if second is None else second
        self.words, self.columns, labels = [], {}, []
        for row, text in enumerate(tagged):
            words = word_ranges(text)
            chosen, places = first_tokens(words, _offsets(encoded.encodings[row], int(second is not None)))
            column = np.full(len(encoded["input_ids"][row]), IGNORE, dtype=np.int64)
            column[places] = tags.encode(words, spans[row] if spans is not None else ())[chosen]
            self.words.append(_whole(words, chosen))
            labels.append(column)
        for name in ("input_ids", "token_type_ids"):
            if name in encoded:
                self.columns[name] = [np.array(ids, dtype=np.int64) for ids in encoded[name]]
        self.columns["labels"] = labels
        self.lengths = np.array([len(row) for row in labels], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: Index) -> dict[str, np.ndarray]:
        return {name: column[index[1]] for name, column in self.columns.items()}


def _offsets(encoding: Any, sequence: int) -> list[tuple[int, int]]:
    """Of the tokens of one of the texts; empty for all others."""
    return [
        offset if own == sequence else (0, 0)
        for offset, own in zip(encoding.offsets, encoding.sequence_ids, strict=True)
    ]


def _whole(words: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(V, 2) ranges of the words that have a token, each reaching over the words after it that have none."""
    ranges: np.ndarray = words[chosen]
    inner = chosen[1:] - 1
    if len(inner):
        ranges[:-1, 1] = words[inner, 1]
    return ranges
