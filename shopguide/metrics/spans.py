"""Precision, recall and F1 of found spans or values, in all and by label, as seqeval counts.

A span is right where its first and last character and its label are. Shapes: N texts, L labels.
"""

from collections.abc import Collection, Hashable, Sequence

import numpy as np

NAMES = ("f1", "precision", "recall", "macro_f1")
RIGHT, FOUND, TRUE = range(3)

Labelled = tuple[Hashable, str]
"""What was found, and its label."""


def span_counts(
    truth: Sequence[Collection[Labelled]], found: Sequence[Collection[Labelled]], labels: Sequence[str]
) -> np.ndarray:
    """(N, L, 3) numbers of right, found and true ones in each text.

    Args:
        truth: of each text, without doubles.
        found: of each text, without doubles.
        labels: all that occur.
    """
    number = {label: i for i, label in enumerate(labels)}
    counts = np.zeros((len(truth), len(labels), 3), dtype=np.int64)
    for row, (true, guess) in enumerate(zip(truth, found, strict=True)):
        for kind, some in ((RIGHT, set(true) & set(guess)), (FOUND, guess), (TRUE, true)):
            for _, label in some:
                counts[row, number[label], kind] += 1
    return counts


def span_scores(counts: np.ndarray) -> np.ndarray:
    """(4 + L,) `NAMES`, then the F1 of each label; NaN for a label that is neither true nor found.

    `f1`, `precision` and `recall` are over all labels together (micro); `macro_f1` is the mean over the labels that
    are true or found somewhere. Without anything found, precision is 0; without anything true, recall is.

    Args:
        counts: (L, 3) sums over texts.
    """
    right, found, true = counts.sum(0)
    micro = [_share(2 * right, found + true), _share(right, found), _share(right, true)]
    occurs = counts[:, FOUND] + counts[:, TRUE] > 0
    single = np.full(len(counts), np.nan)
    single[occurs] = 2 * counts[occurs, RIGHT] / (counts[occurs, FOUND] + counts[occurs, TRUE])
    macro = float(single[occurs].mean()) if occurs.any() else 0.0
    return np.array([*micro, macro, *single])


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
