"""Texts → sequences of token ids and word numbers, a long text cut into several.

Where a tokenizer works on what stands between two spaces, whatever is around it, each such chunk is tokenised once: a
shop says the same words over and over. The sequences are those of the tokenizer's own library.

Shapes: N texts, S sequences, T tokens in all.
"""

import re
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Protocol

import numpy as np
from tokenizers import models, normalizers, pre_tokenizers

from shopguide.text.masking import NO_WORD
from shopguide.text.segmenter import Segmenter, word_numbers
from shopguide.text.tokenizer import cutting

KEPT_TOKENS = 1 << 21
"""Tokens of chunks that are remembered; at more, all are forgotten."""
CHUNKS_A_TEXT = 100
SPACE = re.compile(r"\s")


@dataclass(frozen=True)
class Sequences:
    """Sequences laid end to end."""

    ids: np.ndarray
    """(T,) token ids."""
    words: np.ndarray
    """(T,) number of the text's word that a token is of; `NO_WORD` for special tokens."""
    lengths: np.ndarray
    """(S,) tokens of each sequence."""
    owners: np.ndarray
    """(S,) the text that it is of, from 0, in order."""

    def of(self, texts: np.ndarray) -> "Sequences":
        """The sequences of some of the texts; `texts`: (N,) bool."""
        if texts.all():
            return self
        own = texts[self.owners]
        tokens = np.repeat(own, self.lengths)
        return Sequences(self.ids[tokens], self.words[tokens], self.lengths[own], self.owners[own])


class TextEncoder(Protocol):
    """Tokenises in two steps, so that the first can run beside the second of the texts before."""

    def begin(self, texts: list[str]) -> Any:
        """What takes all cores."""

    def finish(self, texts: list[str], begun: Any) -> Sequences:
        """The rest."""


def text_encoder(tokenizer: Any, max_length: int, segmenter: Segmenter | None) -> TextEncoder:
    """The fastest encoder that there is for a tokenizer.

    Args:
        tokenizer: a fast transformers tokenizer.
        max_length: tokens of a sequence at most, special ones included.
        segmenter: finds whole words where the tokenizer does not; a token's word is then the segmenter's.
    """
    if segmenter is None and _works_between_spaces(tokenizer):
        return ChunkEncoder(tokenizer, max_length)
    return LibraryEncoder(tokenizer, max_length, segmenter)


def _works_between_spaces(tokenizer: Any) -> bool:
    """Whether the tokens of a text are those of its space-separated chunks: BERT's tokenizers and their kin."""
    backend = tokenizer.backend_tokenizer
    added = {token.content: token for token in backend.get_added_tokens_decoder().values()}
    return (
        isinstance(backend.model, models.WordPiece)
        and isinstance(backend.pre_tokenizer, pre_tokenizers.BertPreTokenizer)
        and isinstance(backend.normalizer, normalizers.BertNormalizer)
        and not backend.encode_special_tokens
        and tokenizer.pad_token in added.keys() - {tokenizer.unk_token}
        and not added[tokenizer.pad_token].normalized
        and not any(token.rstrip or token.single_word or SPACE.search(token.content) for token in added.values())
    )


class LibraryEncoder:
    """The tokenizer's own library, called without transformers' lists."""

    def __init__(self, tokenizer: Any, max_length: int, segmenter: Segmenter | None) -> None:
        self._backend, self._max_length, self._segmenter = tokenizer.backend_tokenizer, max_length, segmenter
        self._special = _special(tokenizer)

    def begin(self, texts: list[str]) -> Any:
        """Encodings of the `tokenizers` library, the pieces of a long text overflowing."""
        with cutting(self._backend, self._max_length):
            return self._backend.encode_batch(texts)

    def finish(self, texts: list[str], begun: Any) -> Sequences:
        """Gather the pieces."""
        pieces = [(owner, piece) for owner, first in enumerate(begun) for piece in (first, *first.overflowing)]
        ids = np.fromiter(chain.from_iterable(piece.ids for _, piece in pieces), dtype=np.int32)
        if self._segmenter is None:
            words = np.array(list(chain.from_iterable(piece.word_ids for _, piece in pieces)), dtype=np.float64)
            words[np.isnan(words)] = NO_WORD
        else:
            spans = [self._segmenter(text) for text in texts]
            words = np.concatenate([word_numbers(p.word_ids, p.offsets, spans[owner]) for owner, p in pieces])
        words = np.where(self._special[ids], NO_WORD, words).astype(np.int32)
        lengths = np.array([len(piece) for _, piece in pieces], dtype=np.int64)
        return Sequences(ids, words, lengths, np.array([owner for owner, _ in pieces], dtype=np.int64))


class _Numbers(dict[str, int]):
    """Chunk → its number; a new one takes the next."""

    def __missing__(self, chunk: str) -> int:
        self[chunk] = number = len(self)
        return number


class _Table:
    """The tokens of chunks, each a row."""

    def __init__(self) -> None:
        self.ids, self.words = np.zeros((2, 0), np.int32)
        self.sizes, self.spans = np.zeros((2, 0), np.int64)
        """(C,) tokens, and words, of each chunk."""

    def add(self, ids: np.ndarray, words: np.ndarray, sizes: np.ndarray) -> None:
        """Rows laid end to end; word numbers may begin anywhere."""
        full = np.flatnonzero(sizes)
        ends = np.cumsum(sizes)[full]
        starts, spans = ends - sizes[full], np.zeros(len(sizes), np.int64)
        spans[full] = words[ends - 1] - words[starts] + 1
        self.ids = np.concatenate([self.ids, ids])
        self.words = np.concatenate([self.words, words - np.repeat(words[starts], sizes[full])])
        self.sizes, self.spans = np.concatenate([self.sizes, sizes]), np.concatenate([self.spans, spans])

    def texts(self, rows: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """N texts laid end to end: (T,) ids, (T,) word numbers within the text, (N,) tokens of each.

        Args:
            rows: the chunks of the texts, text after text.
            counts: (N,) chunks of each text, at least one.
        """
        begins, first = np.cumsum(self.sizes) - self.sizes, np.cumsum(counts) - counts
        sizes, spans = self.sizes[rows], self.spans[rows]
        places = np.arange(int(sizes.sum())) + np.repeat(begins[rows] - (np.cumsum(sizes) - sizes), sizes)
        before = np.cumsum(spans) - spans  # words of all chunks before, those of other texts too
        within = before - np.repeat(before[first], counts)
        return self.ids[places], self.words[places] + np.repeat(within, sizes), np.add.reduceat(sizes, first)


class ChunkEncoder:
    """Each chunk between two spaces is tokenised once."""

    def __init__(self, tokenizer: Any, max_length: int) -> None:
        self._backend, self._special = tokenizer.backend_tokenizer, _special(tokenizer)
        self._border, self._border_id = tokenizer.pad_token, tokenizer.pad_token_id
        self._numbers, self._table = _Numbers(), _Table()
        (whole,) = self._encode(["a"], special=True)
        inner = np.flatnonzero(1 - np.array(whole.special_tokens_mask))
        self._before, self._after = whole.ids[: inner[0]], whole.ids[inner[-1] + 1 :]
        self._room = max_length - len(self._before) - len(self._after)

    def begin(self, texts: list[str]) -> Sequences:
        """All of it."""
        if len(self._table.ids) > KEPT_TOKENS:
            self._numbers, self._table = _Numbers(), _Table()
        split = [text.split(" ") for text in texts]
        rows = np.fromiter(map(self._numbers.__getitem__, chain.from_iterable(split)), np.int64)
        self._learn(list(islice(self._numbers, len(self._table.sizes), None)))
        ids, words, lengths = self._table.texts(rows, np.fromiter(map(len, split), np.int64, len(split)))
        return self._cut(ids, np.where(self._special[ids], NO_WORD, words), lengths)

    def finish(self, texts: list[str], begun: Sequences) -> Sequences:
        """Nothing more."""
        return begun

    def _learn(self, chunks: list[str]) -> None:
        """Tokenise chunks that were not met before: many in one text, as a call costs more than a chunk."""
        parts = (chunks[start : start + CHUNKS_A_TEXT] for start in range(0, len(chunks), CHUNKS_A_TEXT))
        ids, words, _ = self._flat([self._border.join((*part, "")) for part in parts])
        border = ids == self._border_id
        if border.sum() == len(chunks) and not any(self._border in chunk for chunk in chunks):
            self._table.add(ids[~border], words[~border], np.diff(np.flatnonzero(border), prepend=-1) - 1)
        else:
            self._table.add(*self._flat(chunks))

    def _flat(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The tokens of texts laid end to end: ids, word numbers, and how many of each text."""
        encodings = self._encode(texts, special=False)
        ids = np.fromiter(chain.from_iterable(encoding.ids for encoding in encodings), np.int32)
        words = np.fromiter(chain.from_iterable(encoding.word_ids for encoding in encodings), np.int32)
        return ids, words, np.fromiter(map(len, encodings), np.int64)

    def _encode(self, texts: list[str], special: bool) -> list[Any]:
        with cutting(self._backend, None):
            found: list[Any] = self._backend.encode_batch(texts, add_special_tokens=special)
        return found

    def _cut(self, ids: np.ndarray, words: np.ndarray, lengths: np.ndarray) -> Sequences:
        """(T,) tokens of N texts of these lengths → sequences with their special tokens; an empty text is one too."""
        counts = np.maximum(1, -(-lengths // self._room))
        owners = np.repeat(np.arange(len(lengths)), counts)
        last = np.cumsum(counts) - 1
        inner = np.full(len(owners), self._room)
        inner[last] = lengths - (counts - 1) * self._room
        own = len(self._before) + len(self._after)
        sizes = inner + own
        starts = np.cumsum(sizes) - sizes
        places = np.arange(len(ids)) + np.repeat(np.arange(len(inner)) * own + len(self._before), inner)
        out = np.empty(int(sizes.sum()), np.int32)
        numbers = np.full(len(out), NO_WORD, np.int32)
        out[places], numbers[places] = ids, words
        for offset, token in enumerate(self._before):
            out[starts + offset] = token
        for offset, token in enumerate(reversed(self._after), 1):
            out[starts + sizes - offset] = token
        return Sequences(out, numbers, sizes, owners)


def _special(tokenizer: Any) -> np.ndarray:
    """Of each token id, whether it is a special one."""
    vocabulary = tokenizer.backend_tokenizer.get_vocab(with_added_tokens=True)
    special = np.zeros(max(vocabulary.values()) + 1, dtype=bool)
    special[tokenizer.all_special_ids] = True
    return special
