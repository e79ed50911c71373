"""Held-out text that stands in the training text: as it is, but for case, width and punctuation, or nearly.

Two texts are near duplicates where the sets A, B of their character 4-grams have |A∩B| / |A∪B| ≥ NEAR. All such pairs
are found without comparing all: each set's ⌊(1 − NEAR)·|A|⌋ + 1 rarest grams must share one (prefix filtering,
Chaudhuri, Ganti and Kaushik 2006, "A primitive operator for similarity joins in data cleaning").

Shapes: N held-out texts, M training texts, G grams.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

NEAR = 0.8
GRAM = 4
SHORTEST = 20
"""Letters from which a text can be a near duplicate: below, one word more or less is another question."""
ROWS = 256
"""Held-out texts compared at a time."""
SHOWN = 3
ROUNDING = 1e-6


@dataclass(frozen=True)
class Overlap:
    """How much of the held-out text stands in the training text. Each count holds those before it."""

    texts: int
    exact: int
    same: int
    """But for case, width, white space and punctuation."""
    near: int
    examples: tuple[tuple[str, str], ...]
    """A few pairs of a held-out text and its double in training, the least obvious first."""

    @property
    def share(self) -> float:
        """Of the held-out texts that have a double."""
        return self.near / self.texts if self.texts else 0.0


def overlap(train: Iterable[str], held_out: Sequence[str], near: bool = True) -> Overlap:
    """Look for each held-out text among the training texts; without `near`, for the same ones only.

    Of the training texts, which are read once, only those are held that are looked for, or may be near.
    """
    bares = [bare(text) for text in held_out]
    wanted, wanted_bare = set(held_out), set(bares)
    exact: set[str] = set()
    same: dict[str, str] = {}
    for text in train:
        if text in wanted:
            exact.add(text)
        if (key := bare(text)) and (near or key in wanted_bare):
            same.setdefault(key, text)
    doubles = {row: text for row, text in enumerate(held_out) if text in exact}
    count_exact = len(doubles)
    doubles |= {row: same[key] for row, key in enumerate(bares) if row not in doubles and key in same}
    count_same = len(doubles)
    rest = [row for row, key in enumerate(bares) if row not in doubles and len(key) >= SHORTEST]
    keys = [key for key in same if len(key) >= SHORTEST]
    found = _near(keys, [bares[row] for row in rest]) if near and rest and keys else {}
    doubles |= {rest[place]: same[keys[number]] for place, number in found.items()}
    last = list(doubles.items())[::-1][:SHOWN]
    return Overlap(
        len(held_out), count_exact, count_same, len(doubles), tuple((held_out[row], text) for row, text in last)
    )


def bare(text: str) -> str:
    """Letters and digits, in one case and width."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def _near(train: list[str], held_out: list[str]) -> dict[int, int]:
    """Held-out number → number of its most similar training text, where there is one of similarity NEAR."""
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(analyzer="char", ngram_range=(GRAM, GRAM), lowercase=False, binary=True, dtype=np.float32)
    grams = counter.fit_transform([*train, *held_out]).tocsr()
    rarest = np.argsort(np.bincount(grams.indices, minlength=grams.shape[1]), kind="stable")
    grams = grams[:, rarest]
    grams.sort_indices()
    prefixes, sizes = _prefixes(grams), np.diff(grams.indptr)
    known, known_prefixes = grams[: len(train)], prefixes[: len(train)].T.tocsr()
    found: dict[int, int] = {}
    for start in range(0, len(held_out), ROWS):
        rows = slice(len(train) + start, min(len(train) + start + ROWS, grams.shape[0]))
        pairs = (prefixes[rows] @ known_prefixes).tocoo()
        here, there = pairs.row, pairs.col
        fits = _alike(sizes[rows][here], sizes[there])
        here, there = here[fits], there[fits]
        shared = np.asarray(grams[rows][here].multiply(known[there]).sum(1)).ravel()
        similar = shared / (sizes[rows][here] + sizes[there] - shared)
        for place in np.argsort(similar, kind="stable"):
            if similar[place] >= NEAR - ROUNDING:
                found[start + int(here[place])] = int(there[place])
    return found


def _alike(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether sets of these sizes can be near duplicates at all."""
    fits: np.ndarray = np.minimum(one, other) >= NEAR * np.maximum(one, other) - ROUNDING
    return fits


def _prefixes(grams: Any) -> Any:
    """Of a matrix whose columns stand from the rarest to the most frequent: the rarest entries of each row only."""
    from scipy.sparse import csr_matrix

    sizes = np.diff(grams.indptr)
    longest = sizes - np.ceil(NEAR * sizes - ROUNDING) + 1
    kept = np.arange(grams.nnz) - np.repeat(grams.indptr[:-1], sizes) < np.repeat(longest, sizes)
    ends = np.concatenate([[0], np.cumsum(np.add.reduceat(kept, grams.indptr[:-1]) if len(sizes) else [])])
    return csr_matrix((grams.data[kept], grams.indices[kept], ends.astype(int)), shape=grams.shape)
