"""Words and letters counted: logistic regression on TF-IDF of words and characters. A baseline, and a model's branch.

Chinese has no spaces: the character n-grams are its words. Shapes: N examples, C classes of a target, F features.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from shopguide.tasks.labels import LabelSpaces
from shopguide.tasks.regression import class_weights, fitted
from shopguide.tasks.task import Examples

Posteriors = dict[str, np.ndarray]
"""Target → (N, C) probabilities."""
WORD = r"(?u)\w+|[^\w\s]+"
SETTINGS: tuple[dict[str, Any], ...] = (
    {"sublinear_tf": True, "token_pattern": WORD, "ngram_range": (1, 2), "max_features": 50_000},
    {"sublinear_tf": True, "analyzer": "char_wb", "ngram_range": (1, 4), "max_features": 100_000},
)
"""Of scikit-learn's TfidfVectorizer: words, and letters within words."""
MANY_WEIGHTS = 3_000_000
STEPS, PASSES = 300_000, (30, 100)
"""With that many weights: examples seen, and bounds of the passes over them. After 30 passes over 10,012 names of 281
classes, macro F1 is within 0.001 of that after convergence."""
VOCABULARY, WEIGHTS = "lexical.json", "lexical.npz"


@dataclass
class Lexical:
    """One linear model a target over shared features; of pairs, each text has features of its own, and shared words.

    Attributes:
        vectorizers: of the first text, then of the second one, if there is one: words and letters each.
        weights: target → (C, F).
        biases: target → (C,).
    """

    vectorizers: list[Any]
    weights: dict[str, np.ndarray]
    biases: dict[str, np.ndarray]

    @classmethod
    def fit(cls, train: Examples, labels: np.ndarray, spaces: LabelSpaces) -> Self:
        """Fit on the training examples.

        Args:
            train: texts.
            labels: (N, T) class numbers; below 0: missing.
            spaces: target → classes.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        made = [
            TfidfVectorizer(**settings).fit(side) for side in _sides(train.first, train.second) for settings in SETTINGS
        ]
        model = cls(made, {}, {})
        features = model.features(train.first, train.second)
        for column, (target, classes) in zip(labels.T, spaces.items(), strict=True):
            known = (column >= 0) & (column < len(classes))
            regression = LogisticRegression(C=10.0, **_solver(len(classes) * features.shape[1], int(known.sum())))
            found = fitted(regression, features[known], column[known])
            model.weights[target], model.biases[target] = class_weights(found, len(classes))
        return model

    def features(self, first: Sequence[str], second: Sequence[str] | None) -> Any:
        """(N, F) sparse."""
        from scipy.sparse import hstack

        sides = [side for side in _sides(first, second) for _ in SETTINGS]
        parts: list[Any] = [made.transform(side) for made, side in zip(self.vectorizers, sides, strict=True)]
        if second is not None:
            parts.append(_overlap(first, second))
        return hstack(parts).tocsr()

    def posterior(self, first: Sequence[str], second: Sequence[str] | None = None) -> Posteriors:
        """Target → (N, C) probabilities."""
        features = self.features(first, second) if first else None
        found = {}
        for target, weights in self.weights.items():
            scores = np.zeros((0, len(weights))) if features is None else features @ weights.T + self.biases[target]
            raised = np.exp(scores - scores.max(-1, keepdims=True)) if len(scores) else scores
            found[target] = (raised / raised.sum(-1, keepdims=True)).astype(np.float32)
        return found

    def pruned(self, count: int) -> "Lexical":
        """With the `count` n-grams that weigh most in any class: a tenth of the size, nearly the same answers."""
        sizes = [len(made.vocabulary_) for made in self.vectorizers]
        grams = sum(sizes)
        weight = np.max([np.abs(matrix[:, :grams]).max(0) for matrix in self.weights.values()], axis=0)
        kept = np.sort(np.argsort(-weight, kind="stable")[:count])
        vectorizers: list[Any] = []
        start = 0
        for made, size in zip(self.vectorizers, sizes, strict=True):
            own = kept[(kept >= start) & (kept < start + size)] - start
            vectorizers.append(_vectorizer(len(vectorizers), made.get_feature_names_out()[own], made.idf_[own]))
            start += size
        chosen = np.concatenate([kept, np.arange(grams, next(iter(self.weights.values())).shape[1])])
        return Lexical(vectorizers, {t: matrix[:, chosen] for t, matrix in self.weights.items()}, self.biases)

    def save(self, folder: Path) -> None:
        """Write the n-grams as JSON and the numbers as NumPy arrays, weights in half precision."""
        grams = [made.get_feature_names_out().tolist() for made in self.vectorizers]
        plain = {"targets": list(self.weights), "grams": grams}
        (folder / VOCABULARY).write_text(json.dumps(plain, ensure_ascii=False), encoding="utf-8")
        arrays = {f"idf{i}": made.idf_ for i, made in enumerate(self.vectorizers)}
        for i, target in enumerate(self.weights):
            arrays |= {f"weights{i}": self.weights[target].astype(np.float16), f"biases{i}": self.biases[target]}
        np.savez_compressed(folder / WEIGHTS, **arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        plain = json.loads((folder / VOCABULARY).read_text(encoding="utf-8"))
        with np.load(folder / WEIGHTS, allow_pickle=False) as arrays:
            made = [_vectorizer(i, grams, arrays[f"idf{i}"]) for i, grams in enumerate(plain["grams"])]
            names = list(enumerate(plain["targets"]))
            weights = {target: arrays[f"weights{i}"].astype(np.float32) for i, target in names}
            return cls(made, weights, {target: arrays[f"biases{i}"] for i, target in names})


def label_regression(train: Examples, other: Examples, labels: Sequence[str]) -> list[list[str]]:
    """For texts with several labels: a regression a label, on the same features; those of one half and more."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    sides = _sides(train.first, train.second)
    model = Lexical([TfidfVectorizer(**settings).fit(side) for side in sides for settings in SETTINGS], {}, {})
    features, asked = (model.features(part.first, part.second) for part in (train, other))
    found: list[list[str]] = [[] for _ in range(len(other))]
    for label in labels:
        has = np.array([label in values for values in train.values or ()])
        if has.all() or not len(other):
            given = np.full(len(other), has.all())
        else:
            given = LogisticRegression(C=10.0, solver="liblinear").fit(features, has).predict(asked)
        for row in np.flatnonzero(given):
            found[row].append(label)
    return found


def _solver(weights: int, examples: int) -> dict[str, Any]:
    """Of scikit-learn's LogisticRegression.

    With hundreds of classes the one that touches only what is there is ten times as fast as those that hold dense
    directions; with few examples it takes more passes than it saves.
    """
    if weights > MANY_WEIGHTS:
        passes = int(np.clip(STEPS // examples, *PASSES))
        return {"solver": "saga", "max_iter": passes, "tol": 1e-3, "random_state": 0}
    return {"solver": "newton-cg"}


def _sides(first: Sequence[str], second: Sequence[str] | None) -> list[Sequence[str]]:
    return [first] if second is None else [first, second]


def _vectorizer(place: int, grams: Sequence[str], idf: np.ndarray) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    settings = {**SETTINGS[place % len(SETTINGS)], "max_features": None}
    made = TfidfVectorizer(**settings, vocabulary={gram: i for i, gram in enumerate(grams)})
    made.idf_ = idf
    return made


def _overlap(first: Sequence[str], second: Sequence[str]) -> np.ndarray:
    """(N, 2) shares of the first text's words and character pairs that occur in the second."""

    def share(parts: set[str], whole: str) -> float:
        return sum(part in whole for part in parts) / len(parts) if parts else 0.0

    rows = []
    for query, text in zip((q.casefold() for q in first), (t.casefold() for t in second), strict=True):
        rows.append((share(set(query.split()), text), share({query[i : i + 2] for i in range(len(query) - 1)}, text)))
    return np.array(rows)
