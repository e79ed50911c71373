"""A tokenised corpus on disk: memory-mapped Arrow, cached under a fingerprint of all that decides its contents."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from shopguide.errors import DataError
from shopguide.text.documents import Document
from shopguide.text.masking import NO_WORD
from shopguide.text.segmenter import Segmenter, word_numbers
from shopguide.text.tokenizer import tokenizer_fingerprint

CODE_VERSION = 1
"""Raise it when the same input would give other tokens: it is part of the fingerprint."""
ROWS_A_BATCH = 1000
SCHEMA = pa.schema([("input_ids", pa.list_(pa.int32())), ("word_ids", pa.list_(pa.int32()))])


class TokenTable:
    """Memory-mapped sequences of token ids and word numbers; reading one copies nothing."""

    def __init__(self, path: Path) -> None:
        table = pa.ipc.open_stream(pa.memory_map(str(path))).read_all()
        self._ids = [_views(chunk) for chunk in table["input_ids"].chunks]
        self._words = [_views(chunk) for chunk in table["word_ids"].chunks]
        self._starts = np.cumsum([0, *(len(offsets) - 1 for _, offsets in self._ids)])
        steps = [np.diff(offsets) for _, offsets in self._ids]
        self.lengths = np.concatenate(steps) if steps else np.zeros(0, dtype=np.int32)
        """(N,) tokens of each sequence."""

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """(L,) token ids and (L,) word numbers of one sequence."""
        chunk = int(np.searchsorted(self._starts, index, side="right")) - 1
        row = index - self._starts[chunk]
        (ids, offsets), (words, _) = self._ids[chunk], self._words[chunk]
        piece = slice(offsets[row], offsets[row + 1])
        return ids[piece], words[piece]


def _views(chunk: Any) -> tuple[np.ndarray, np.ndarray]:
    return chunk.values.to_numpy(zero_copy_only=True), chunk.offsets.to_numpy(zero_copy_only=True)


@dataclass(frozen=True)
class Corpus:
    """The sequences to train on, and those kept apart to measure perplexity."""

    train: TokenTable
    held_out: TokenTable
    fingerprint: str
    cached: bool
    """Whether it was found on disk."""

    @property
    def tokens(self) -> int:
        """Tokens to train on in one pass."""
        return int(self.train.lengths.sum())


def tokenised_corpus(
    documents: Iterable[Document],
    tokenizer: Any,
    *,
    max_length: int,
    held_out: float,
    segmenter: Segmenter | None,
    cache_dir: Path,
    identity: dict[str, Any],
) -> Corpus:
    """Tokenise documents, or find them tokenised.

    Args:
        documents: read only if the corpus is not cached.
        tokenizer: a fast transformers tokenizer.
        max_length: tokens of one sequence at most; a longer document becomes several sequences.
        held_out: share of the documents kept apart.
        segmenter: finds whole words where the tokenizer does not.
        cache_dir: folder of the cached corpora.
        identity: what decides the documents (fingerprint of the data, choices of text); JSON-serialisable.

    Raises:
        DataError: there is no text at all.
    """
    facts = {
        **identity,
        "tokenizer": tokenizer_fingerprint(tokenizer),
        "max_length": max_length,
        "held_out": held_out,
        "code": CODE_VERSION,
    }
    fingerprint = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    paths = [cache_dir / "corpora" / fingerprint / f"{part}.arrow" for part in ("train", "held_out")]
    cached = all(path.is_file() for path in paths)
    if not cached:
        _write(documents, tokenizer, max_length, held_out, segmenter, paths)
    train, rest = (TokenTable(path) for path in paths)
    if not len(train):
        raise DataError(
            "pretraining: expected text to learn from, found none; choose other "
            "pretrain.documents (products, queries, sessions, dialogues, pairs, annotations)"
        )
    return Corpus(train, rest, fingerprint, cached)


def _write(
    documents: Iterable[Document],
    tokenizer: Any,
    max_length: int,
    held_out: float,
    segmenter: Segmenter | None,
    paths: list[Path],
) -> None:
    """Stream the documents to disk; the files appear only when they are complete."""
    folder = paths[0].parent
    folder.mkdir(parents=True, exist_ok=True)
    every = round(1 / held_out) if held_out else 0
    with tempfile.TemporaryDirectory(dir=folder) as temporary, _cutting(tokenizer, max_length):
        drafts = [Path(temporary) / path.name for path in paths]
        with pa.OSFile(str(drafts[0]), "wb") as train, pa.OSFile(str(drafts[1]), "wb") as rest:
            writers = [pa.ipc.new_stream(sink, SCHEMA) for sink in (train, rest)]
            row = 0
            for texts, encoded in _encoded(_chunks(_joined(documents, tokenizer), ROWS_A_BATCH), tokenizer):
                kept_apart = [bool(every) and (row + i) % every == every - 1 for i in range(len(texts))]
                row += len(texts)
                for writer, side in zip(writers, (False, True), strict=True):
                    rows = zip(texts, encoded, kept_apart, strict=True)
                    own = [(text, encoding) for text, encoding, apart in rows if apart is side]
                    if own:
                        writer.write_batch(_batch(own, tokenizer, segmenter))
            for writer in writers:
                writer.close()
        for draft, path in zip(drafts, paths, strict=True):
            os.replace(draft, path)


def _joined(documents: Iterable[Document], tokenizer: Any) -> Iterator[str]:
    separator = f" {tokenizer.sep_token} " if tokenizer.sep_token else "\n"
    for document in documents:
        text = separator.join(segment for segment in document if segment)
        if text:
            yield text


def _chunks(texts: Iterator[str], size: int) -> Iterator[list[str]]:
    while chunk := list(islice(texts, size)):
        yield chunk


def _encoded(chunks: Iterator[list[str]], tokenizer: Any) -> Iterator[tuple[list[str], list[Any]]]:
    """Texts and their encodings; the next chunk is on all cores while this one is written."""
    encode = tokenizer.backend_tokenizer.encode_batch
    with ThreadPoolExecutor(1) as ahead:
        waiting: list[tuple[list[str], Future[list[Any]]]] = []
        for texts in chunks:
            waiting.append((texts, ahead.submit(encode, texts)))
            if len(waiting) > 1:
                before, encoding = waiting.pop(0)
                yield before, encoding.result()
        for before, encoding in waiting:
            yield before, encoding.result()


def _batch(rows: list[tuple[str, Any]], tokenizer: Any, segmenter: Segmenter | None) -> pa.RecordBatch:
    """Token ids and word numbers of each text, or of its pieces where it is too long for one sequence."""
    pieces = [(text, piece) for text, first in rows for piece in (first, *first.overflowing)]
    ids = np.fromiter(chain.from_iterable(piece.ids for _, piece in pieces), dtype=np.int32)
    if segmenter is None:
        words = np.array(list(chain.from_iterable(piece.word_ids for _, piece in pieces)), dtype=np.float64)
        words[np.isnan(words)] = NO_WORD
    else:
        spans = {text: segmenter(text) for text, _ in rows}
        words = np.concatenate([word_numbers(piece.word_ids, piece.offsets, spans[text]) for text, piece in pieces])
    special = np.zeros(max(len(tokenizer), int(ids.max()) + 1), dtype=bool)
    special[tokenizer.all_special_ids] = True
    words = np.where(special[ids], NO_WORD, words).astype(np.int32)
    bounds = pa.array(np.cumsum([0, *(len(piece) for _, piece in pieces)]), pa.int32())
    return pa.record_batch([pa.ListArray.from_arrays(bounds, pa.array(flat)) for flat in (ids, words)], schema=SCHEMA)


@contextlib.contextmanager
def _cutting(tokenizer: Any, max_length: int) -> Iterator[None]:
    """The tokenizer's own library is called, without transformers' lists: it cuts at `max_length` for that time."""
    backend = tokenizer.backend_tokenizer
    truncation, padding = backend.truncation, backend.padding
    backend.enable_truncation(max_length)
    backend.no_padding()
    try:
        yield
    finally:
        backend.enable_truncation(**truncation) if truncation else backend.no_truncation()
        if padding:
            backend.enable_padding(**padding)
