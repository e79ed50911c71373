"""Texts whose words are tagged, as a loader serves them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from shopguide.errors import ModelError
from shopguide.text.batches import Index
from shopguide.text.examples import Collate
from shopguide.text.masking import IGNORE
from shopguide.text.tags import Span, Tags
from shopguide.text.words import tagged_words


class TaggedTexts(Dataset[dict[str, np.ndarray]]):
    """Texts as token ids, with the tag of each word at its first token, and -100 elsewhere.

    Args:
        tokenizer: a fast one.
        first: the texts; where there is a second one, that one is tagged.
        second: of each pair.
        max_length: longer texts are cut off.
        tags: to encode with.
        spans: of each text; None: every word is O, which marks the places to be answered.

    Raises:
        ModelError: the tokenizer is not a fast one.
    """

    def __init__(
        self,
        tokenizer: Any,
        first: Sequence[str],
        second: Sequence[str] | None,
        max_length: int,
        tags: Tags,
        spans: Sequence[Sequence[Span]] | None = None,
    ) -> None:
        if not tokenizer.is_fast:
            raise ModelError(
                "tagging: expected a fast tokenizer (tokenizer.json), which tells where in a text its tokens are"
            )
        encoded = tokenizer(first, second, truncation=True, max_length=max_length)
        tagged = first if second is None else second
        self.words, self.columns, labels = [], {}, []
        for row, text in enumerate(tagged):
            words = tagged_words(text, encoded.encodings[row], int(second is not None))
            column = np.full(len(encoded["input_ids"][row]), IGNORE, dtype=np.int64)
            column[words.places] = tags.encode(words.every, spans[row] if spans is not None else ())[words.numbers]
            self.words.append(words.ranges)
            labels.append(column)
        for name in ("input_ids", "token_type_ids"):
            if name in encoded:
                self.columns[name] = [np.array(ids, dtype=np.int64) for ids in encoded[name]]
        self.columns["labels"] = labels
        self.lengths = np.array([len(row) for row in labels], dtype=np.int64)
        self.groups: np.ndarray | None = None
        self.lists: np.ndarray | None = None

    def collate(self, pad_id: int) -> Collate:
        """What makes batches of them."""
        return Collate(pad_id)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: Index) -> dict[str, np.ndarray]:
        return {name: column[index[1]] for name, column in self.columns.items()}
