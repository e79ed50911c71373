"""BM25 (Robertson & Zaragoza 2009; Lucene's variant) of pairs of texts: the search that most shops have."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from shopguide.text.words import WORD


def bm25(corpus: Sequence[str], queries: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    """(N,) scores of N pairs.

    Args:
        corpus: texts by which words are rare or not.
        queries: (N,) of the pairs.
        texts: (N,) what each query is held against.
    """
    from bm25s import BM25

    known = sorted({*corpus, *texts})
    place = {text: number for number, text in enumerate(known)}
    index = BM25()
    index.index([words(text) for text in known], show_progress=False)
    rows: dict[str, list[int]] = defaultdict(list)
    for row, query in enumerate(queries):
        rows[query].append(row)
    scores = np.zeros(len(queries))
    for query, own in rows.items():
        if asked := words(query):
            scores[own] = index.get_scores(asked)[[place[texts[row]] for row in own]]
    return scores


def words(text: str) -> list[str]:
    """In lower case; each Chinese, Japanese or other unspaced character is one of its own."""
    return WORD.findall(text.casefold())
