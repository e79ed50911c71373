"""The classes of each target: those of the training examples, in sorted order."""

import numpy as np

from shopguide.errors import DataError
from shopguide.tasks.task import Examples, Task

MISSING = -100

LabelSpaces = dict[str, list[str]]
"""Target → its classes."""


def label_spaces(train: Examples) -> LabelSpaces:
    """The classes that the training examples show.

    Raises:
        DataError: a target has fewer than two.
    """
    spaces = {target: sorted({label for label in column if label}) for target, column in train.labels.items()}
    for target, classes in spaces.items():
        if len(classes) < 2:
            raise DataError(
                f"target `{target}`: expected at least two classes among {len(train)} training examples, "
                f"found {classes or 'none'}; name other targets (data.targets=[…])"
            )
    return spaces


def gains_of(task: Task, spaces: LabelSpaces) -> list[float] | None:
    """What the classes of a task's only target are worth, where they are grades."""
    return task.graded(next(iter(spaces.values()))) if len(spaces) == 1 else None


def encode_labels(examples: Examples, spaces: LabelSpaces) -> np.ndarray:
    """(N, T) class numbers; -100 where a label is missing; C, C + 1, … for classes that are not in the space."""
    columns = []
    for target, classes in spaces.items():
        labels = examples.labels[target]
        unseen = sorted({label for label in labels if label} - set(classes))
        number = {label: i for i, label in enumerate([*classes, *unseen])}
        columns.append([number[label] if label else MISSING for label in labels])
    return np.array(columns, dtype=np.int64).T.reshape(len(examples), len(spaces))


def label_counts(labels: np.ndarray, spaces: LabelSpaces) -> list[list[int]]:
    """(N, T) class numbers → for each target, how many examples each of its classes has."""
    columns = zip(labels.T, spaces.values(), strict=True)
    known = ((column[(column >= 0) & (column < len(classes))], classes) for column, classes in columns)
    return [np.bincount(column, minlength=len(classes)).tolist() for column, classes in known]
