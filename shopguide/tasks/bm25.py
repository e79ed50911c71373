"""BM25 (Robertson & Zaragoza 2009; Lucene's variant) of pairs of texts: the search that most shops have."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from shopguide.text.words import WORD


def bm25(corpus: Sequence[str], queries: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    """(N,) scores of N pairs.

    Args:
        corpus: texts by which words are rare or not.
        queries: (N,) of the pairs.
        texts: (N,) what each query is held against.
    """
    known = sorted({*corpus, *texts})
    place = {text: number for number, text in enumerate(known)}
    index = _index(known)
    rows: dict[str, list[int]] = defaultdict(list)
    for row, query in enumerate(queries):
        rows[query].append(row)
    scores = np.zeros(len(queries))
    for query, own in rows.items():
        if index is not None and (asked := words(query)):
            scores[own] = index.get_scores(asked)[[place[texts[row]] for row in own]]
    return scores


def _index(corpus: Sequence[str]) -> Any:
    """None where there is no word at all."""
    from bm25s import BM25

    cut = [words(text) for text in corpus]
    if not any(cut):
        return None
    index = BM25()
    index.index(cut, show_progress=False)
    return index


def words(text: str) -> list[str]:
    """In lower case; each Chinese, Japanese or other unspaced character is one of its own."""
    return WORD.findall(text.casefold())


def bm25_search(corpus: Sequence[str], queries: Sequence[str], count: int) -> tuple[np.ndarray, np.ndarray]:
    """(N, K) row numbers of the best texts of a corpus, -1 where none has a word of the query, and their scores."""
    index, count = _index(corpus), min(count, len(corpus))
    rows, scores = np.full((len(queries), count), -1, dtype=np.int64), np.zeros((len(queries), count))
    for number, query in enumerate(queries):
        if index is not None and (asked := words(query)):
            said = index.get_scores(asked)
            best = np.argpartition(-said, count - 1)[:count]
            best = best[np.argsort(-said[best], kind="stable")]
            best = best[said[best] > 0]
            rows[number, : len(best)], scores[number, : len(best)] = best, said[best]
    return rows, scores
