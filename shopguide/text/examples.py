"""Examples as a loader serves them, and how a batch is padded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers.tokenization_utils_base import TruncationStrategy
from transformers.utils import PaddingStrategy

from shopguide.text.batches import Index
from shopguide.text.columns import column_of
from shopguide.text.corpus import TokenTable
from shopguide.text.masking import IGNORE, Masker
from shopguide.text.ragged import Ragged, RaggedWriter

PAD_TO_MULTIPLE = 8
AT_ONCE = 4096
"""Texts that are tokenised at once."""


class MaskedExamples(Dataset[dict[str, np.ndarray]]):
    """Sequences with the positions masked that (seed, epoch, example) says."""

    def __init__(self, table: TokenTable, masker: Masker) -> None:
        self.table, self.masker = table, masker
        self.lengths = table.lengths

    def __getitem__(self, index: Index) -> dict[str, np.ndarray]:
        epoch, example = index
        seen, labels = self.masker(*self.table[example], epoch, example)
        return {"input_ids": seen, "labels": labels}


class CausalExamples(Dataset[dict[str, np.ndarray]]):
    """Sequences whose every token is to be told from the ones before it."""

    def __init__(self, table: TokenTable) -> None:
        self.table = table
        self.lengths = table.lengths

    def __getitem__(self, index: Index) -> dict[str, np.ndarray]:
        ids, _ = self.table[index[1]]
        return {"input_ids": ids, "labels": ids}


class EncodedTexts(Dataset[dict[str, np.ndarray]]):
    """Texts, or pairs of texts, as token ids, with (N, T) label numbers for T targets if given."""

    def __init__(
        self,
        tokenizer: Any,
        first: Sequence[str],
        second: Sequence[str] | None,
        max_length: int,
        labels: np.ndarray | None = None,
    ) -> None:
        self.columns = _encoded(tokenizer, first, second, max_length)
        self.labels = labels
        self.groups: np.ndarray | None = None
        self.lists: np.ndarray | None = None
        self.lengths = self.columns["input_ids"].lengths

    @classmethod
    def joined(cls, parts: Sequence["EncodedTexts"]) -> "EncodedTexts":
        """One after the other, each a group of its own; the targets of each stand beside those of the others, where
        its labels are missing.
        """
        whole = cls.__new__(cls)
        full = [part for part in parts if len(part)] or parts[:1]  # of no text it is not known what columns it has
        whole.columns = {name: Ragged.joined(part.columns[name] for part in full) for name in full[0].columns}
        whole.lengths = np.concatenate([part.lengths for part in parts])
        whole.groups = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        whole.lists = None
        labels = [part.labels for part in parts if part.labels is not None]
        whole.labels = np.full((len(whole), sum(part.shape[1] for part in labels)), IGNORE, dtype=np.int64)
        row = column = 0
        for part in labels:
            whole.labels[row : row + part.shape[0], column : column + part.shape[1]] = part
            row, column = row + part.shape[0], column + part.shape[1]
        return whole

    def __len__(self) -> int:
        return len(self.lengths)

    def collate(self, pad_id: int) -> "Collate":
        """What makes batches of them."""
        return Collate(pad_id)

    def __getitem__(self, index: Index) -> dict[str, np.ndarray]:
        row = index[1]
        example = {name: column[row] for name, column in self.columns.items()}
        if self.labels is not None:
            example["targets"] = self.labels[row]
        if self.lists is not None:
            example["list"] = self.lists[row]
        example["row"] = np.int64(row)  # type: ignore[assignment]
        return example


def _encoded(tokenizer: Any, first: Sequence[str], second: Sequence[str] | None, max_length: int) -> dict[str, Ragged]:
    """`input_ids` and, where the tokenizer tells them, `token_type_ids`."""
    told = [name for name in ("input_ids", "token_type_ids") if name in {"input_ids", *tokenizer.model_input_names}]
    writers = {name: RaggedWriter() for name in told}
    cut = TruncationStrategy.LONGEST_FIRST
    tokenizer.set_truncation_and_padding(PaddingStrategy.DO_NOT_PAD, cut, max_length, 0, None, None)
    for start in range(0, len(first), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        texts: Any = first[part] if second is None else list(zip(first[part], second[part], strict=True))
        found = tokenizer.backend_tokenizer.encode_batch_fast(texts)
        for name, writer in writers.items():
            writer.add([column_of(encoding, name) for encoding in found])
    return {name: writer.done() for name, writer in writers.items()}


@dataclass(frozen=True)
class Collate:
    """Pad a batch to its longest row.

    Returns (B, L) `input_ids`, `attention_mask` and, where examples have them, `labels` and `token_type_ids`; (B, T)
    `targets`; (B,) `row`; and `lengths`, a list of B numbers.
    """

    pad_id: int

    def __call__(self, examples: Sequence[dict[str, np.ndarray]]) -> dict[str, Any]:
        """Stack examples of unequal length."""
        lengths = [len(example["input_ids"]) for example in examples]
        longest = max(lengths)
        longest += -longest % PAD_TO_MULTIPLE
        fill = {"input_ids": self.pad_id, "labels": IGNORE, "token_type_ids": 0}
        batch: dict[str, Any] = {"lengths": lengths}
        for name in examples[0]:
            rows = [example[name] for example in examples]
            batch[name] = _padded(rows, longest, fill[name]) if name in fill else torch.as_tensor(np.stack(rows))
        batch["attention_mask"] = (torch.arange(longest)[None] < torch.tensor(lengths)[:, None]).long()
        return batch


def _padded(rows: list[np.ndarray], length: int, fill: int) -> torch.Tensor:
    padded = np.full((len(rows), length), fill, dtype=np.int64)
    for i, row in enumerate(rows):
        padded[i, : len(row)] = row
    return torch.from_numpy(padded)
