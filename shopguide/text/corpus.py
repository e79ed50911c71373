"""A tokenised corpus on disk: memory-mapped Arrow, cached under a fingerprint of all that decides its contents."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from shopguide.errors import DataError
from shopguide.text.documents import Document
from shopguide.text.encoding import Sequences, TextEncoder, text_encoder
from shopguide.text.segmenter import Segmenter
from shopguide.text.tokenizer import tokenizer_fingerprint

CODE_VERSION = 1
"""Raise it when the same input would give other tokens: it is part of the fingerprint."""
ROWS_A_BATCH = 1000
SCHEMA = pa.schema([("input_ids", pa.list_(pa.int32())), ("word_ids", pa.list_(pa.int32()))])


class TokenTable:
    """Memory-mapped sequences of token ids and word numbers; reading one copies nothing, and another process that is
    handed the table maps the same file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        table = pa.ipc.open_stream(pa.memory_map(str(path))).read_all()
        self._ids = [_views(chunk) for chunk in table["input_ids"].chunks]
        self._words = [_views(chunk) for chunk in table["word_ids"].chunks]
        self._starts = np.cumsum([0, *(len(offsets) - 1 for _, offsets in self._ids)])
        steps = [np.diff(offsets) for _, offsets in self._ids]
        self.lengths = np.concatenate(steps) if steps else np.zeros(0, dtype=np.int32)
        """(N,) tokens of each sequence."""

    def __len__(self) -> int:
        return len(self.lengths)

    def __reduce__(self) -> tuple[type["TokenTable"], tuple[Path]]:
        return TokenTable, (self._path,)

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
    encoder = text_encoder(tokenizer, max_length, segmenter)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        drafts = [Path(temporary) / path.name for path in paths]
        with pa.OSFile(str(drafts[0]), "wb") as train, pa.OSFile(str(drafts[1]), "wb") as rest:
            writers = [pa.ipc.new_stream(sink, SCHEMA) for sink in (train, rest)]
            first = 0
            for count, sequences in _encoded(_chunks(_joined(documents, tokenizer), ROWS_A_BATCH), encoder):
                rows = np.arange(first, first + count)
                kept_apart = rows % every == every - 1 if every else np.zeros(count, dtype=bool)
                first += count
                for writer, own in zip(writers, (~kept_apart, kept_apart), strict=True):
                    if own.any():
                        writer.write_batch(_batch(sequences.of(own)))
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


def _encoded(chunks: Iterator[list[str]], encoder: TextEncoder) -> Iterator[tuple[int, Sequences]]:
    """How many texts, and their sequences; the next chunk is on all cores while this one is written."""
    with ThreadPoolExecutor(1) as ahead:
        waiting: list[tuple[list[str], Future[Any]]] = []
        for texts in chunks:
            waiting.append((texts, ahead.submit(encoder.begin, texts)))
            if len(waiting) > 1:
                before, begun = waiting.pop(0)
                yield len(before), encoder.finish(before, begun.result())
        for before, begun in waiting:
            yield len(before), encoder.finish(before, begun.result())


def _batch(sequences: Sequences) -> pa.RecordBatch:
    bounds = pa.array(np.concatenate([[0], np.cumsum(sequences.lengths)]), pa.int32())
    flat = (pa.array(column, pa.int32()) for column in (sequences.ids, sequences.words))
    return pa.record_batch([pa.ListArray.from_arrays(bounds, values) for values in flat], schema=SCHEMA)
