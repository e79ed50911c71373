"""What a model must beat: the majority class, and logistic regression on word and character TF-IDF.

Chinese has no spaces: the character n-grams are its words.
"""

from typing import Any

import numpy as np

from shopguide.tasks.labels import LabelSpaces
from shopguide.tasks.task import Examples

Posteriors = dict[str, np.ndarray]
"""Target → (N, C) probabilities."""
WORD = r"(?u)\w+|[^\w\s]+"


def majority(train_labels: np.ndarray, spaces: LabelSpaces, rows: int) -> Posteriors:
    """The training shares of the classes, for every row.

    Args:
        train_labels: (N, T) class numbers of the training examples.
        spaces: target → classes.
        rows: examples to answer.
    """
    answers = {}
    for column, (target, classes) in zip(train_labels.T, spaces.items(), strict=True):
        counts = np.bincount(column[column >= 0], minlength=len(classes)).astype(float)
        answers[target] = np.tile(counts / counts.sum(), (rows, 1))
    return answers


def tfidf_logistic_regression(
    train: Examples, train_labels: np.ndarray, spaces: LabelSpaces, other: Examples
) -> Posteriors:
    """Fit on the training examples, answer the others. A pair's texts have features of their own and shared words."""
    from scipy.sparse import hstack
    from sklearn.linear_model import LogisticRegression

    sides = [(train.first, other.first)]
    if train.second is not None and other.second is not None:
        sides.append((train.second, other.second))
    parts = [_tfidf(fitted, asked) for fitted, asked in sides]
    if train.second is not None and other.second is not None:
        parts.append((_overlap(train.first, train.second), _overlap(other.first, other.second)))
    fitted, asked = (hstack(matrices).tocsr() for matrices in zip(*parts, strict=True))
    answers = {}
    for column, (target, classes) in zip(train_labels.T, spaces.items(), strict=True):
        known = column >= 0
        model = LogisticRegression(C=10.0, solver="newton-cg").fit(fitted[known], column[known])
        posterior = np.zeros((len(other), len(classes)))
        posterior[:, model.classes_] = model.predict_proba(asked)
        answers[target] = posterior
    return answers


def _tfidf(fitted: list[str], asked: list[str]) -> tuple[Any, Any]:
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(sublinear_tf=True, token_pattern=WORD, ngram_range=(1, 2), max_features=50_000)
    characters = TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(1, 4), max_features=100_000)
    pairs = [(v.fit_transform(fitted), v.transform(asked)) for v in (words, characters)]
    return hstack([a for a, _ in pairs]), hstack([b for _, b in pairs])


def _overlap(first: list[str], second: list[str]) -> np.ndarray:
    """(N, 2) shares of the first text's words and character pairs that occur in the second."""

    def share(parts: set[str], whole: str) -> float:
        return sum(part in whole for part in parts) / len(parts) if parts else 0.0

    rows = []
    for query, text in zip((q.casefold() for q in first), (t.casefold() for t in second), strict=True):
        rows.append((share(set(query.split()), text), share({query[i : i + 2] for i in range(len(query) - 1)}, text)))
    return np.array(rows)
