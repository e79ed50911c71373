"""What a classifier must beat: the majority class; `tasks.lexical` is the other one."""

import numpy as np

from shopguide.tasks.labels import LabelSpaces
from shopguide.tasks.lexical import Posteriors


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
