"""Scores of posteriors against labelled examples: metrics per target, means over targets, bootstrap intervals."""

from dataclasses import dataclass

import numpy as np
import torch

from shopguide.metrics.bootstrap import bootstrap, bootstrap_intervals
from shopguide.metrics.classification import classification_metrics
from shopguide.tasks.labels import LabelSpaces, encode_labels
from shopguide.tasks.task import Examples

COUNTED = ("f1", "precision", "recall")
SMALL = 1e-12


@dataclass(frozen=True)
class Scores:
    """What one model reached on one split."""

    metrics: dict[str, float]
    """`accuracy`, `macro_f1`, `weighted_f1`, `ece` as means over the targets; with several targets also
    `<metric>/<target>`."""
    intervals: dict[str, tuple[float, float]]
    """95 % intervals of the same names where there is one target, else of `<metric>/<target>`."""
    count: int

    def with_more(self, *others: "Scores") -> "Scores":
        """The metrics and intervals of all, of the same examples."""
        metrics = {name: value for scores in (self, *others) for name, value in scores.metrics.items()}
        intervals = {name: pair for scores in (self, *others) for name, pair in scores.intervals.items()}
        return Scores(metrics, intervals, self.count)


def score(examples: Examples, spaces: LabelSpaces, posterior: dict[str, np.ndarray], intervals: bool = True) -> Scores:
    """Score (N, C) probabilities of each target against the examples' labels."""
    labels = encode_labels(examples, spaces)
    by_target: dict[str, dict[str, float]] = {}
    bounds: dict[str, tuple[float, float]] = {}
    several = len(spaces) > 1
    for column, target in zip(labels.T, spaces, strict=True):
        known = column >= 0
        if not known.any():
            continue
        probabilities, truth = posterior[target][known], column[known]
        by_target[target] = classification_metrics(torch.from_numpy(probabilities), torch.from_numpy(truth))
        if intervals:
            groups = [group for group, keep in zip(examples.groups, known, strict=True) if keep]
            found = bootstrap_intervals(truth, probabilities.argmax(1), groups)
            bounds |= {f"{name}/{target}" if several else name: pair for name, pair in found.items()}
    names = next(iter(by_target.values()), {})
    metrics = {name: float(np.mean([scores[name] for scores in by_target.values()])) for name in names}
    if several:
        metrics |= {f"{name}/{target}": value for target, s in by_target.items() for name, value in s.items()}
    return Scores(metrics, bounds, len(examples))


def counted_scores(examples: Examples, spaces: LabelSpaces, posterior: dict[str, np.ndarray], counted: str) -> Scores:
    """Precision, recall and F1 of one class of the only target, as pairs are scored; 0 where it is never given."""
    ((target, classes),) = spaces.items()
    labels = examples.labels[target]
    known = np.array([label is not None for label in labels])
    truth = np.array([label == counted for label in labels])[known]
    given = np.array([classes[row] == counted for row in posterior[target].argmax(1)])[known]
    groups = [group for group, keep in zip(examples.groups, known, strict=True) if keep]

    def scored(weight: np.ndarray) -> list[float]:
        right, said, there = (float(weight @ rows) for rows in (truth & given, given, truth))
        return [2 * right / max(said + there, SMALL), right / max(said, SMALL), right / max(there, SMALL)]

    values, bounds = scored(np.ones(len(truth))), bootstrap(groups, scored)
    return Scores(dict(zip(COUNTED, values, strict=True)), dict(zip(COUNTED, bounds, strict=True)), len(truth))


def ceiling(examples: Examples, spaces: LabelSpaces) -> Scores | None:
    """The score of the perfect reader, where the shop's hidden truth is known."""
    if examples.best is None:
        return None
    posterior = {}
    for target, classes in spaces.items():
        number = {label: i for i, label in enumerate(classes)}
        matrix = np.zeros((len(examples), len(classes)), dtype=np.float32)
        for row, label in enumerate(examples.best[target]):
            if label in number:
                matrix[row, number[label]] = 1.0
        posterior[target] = matrix
    found = score(examples, spaces, posterior, intervals=False)
    told = {name: value for name, value in found.metrics.items() if not name.startswith("ece")}
    return Scores(told, {}, found.count)  # a reader who is certain is not calibrated: that says nothing
