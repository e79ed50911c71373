"""Targets that are the levels of a tree: one posterior over its paths, so that the levels never contradict each other.

P(path | x) ∝ exp(mean over the levels l of log P_l(node_l | x)), a logarithmic opinion pool of the levels' own
posteriors over the paths of the training examples; a level's posterior is its marginal.

Shapes: N examples, P paths, T levels, C classes.
"""

import numpy as np

from shopguide.tasks.labels import LabelSpaces, encode_labels
from shopguide.tasks.lexical import Posteriors
from shopguide.tasks.task import Examples

SMALLEST = 1e-9

Paths = list[list[int]]
"""P lists of T class numbers."""


def training_paths(train: Examples, spaces: LabelSpaces) -> Paths:
    """The paths that are labelled at every level, in order; in real data a class may stand below several."""
    labels = encode_labels(train, spaces)
    found: Paths = np.unique(labels[(labels >= 0).all(1)], axis=0).tolist()
    return found


def consistent(posteriors: Posteriors, paths: Paths) -> Posteriors:
    """Target → (N, C) marginals of the posterior over paths.

    Args:
        posteriors: of each level on its own, in the order of the paths' places.
        paths: those that there are.
    """
    nodes = np.array(paths)
    logs = [np.log(np.maximum(matrix, SMALLEST)) for matrix in posteriors.values()]
    scores = np.mean([log[:, level] for log, level in zip(logs, nodes.T, strict=True)], axis=0)
    raised = np.exp(scores - scores.max(-1, keepdims=True)) if len(scores) else scores
    shares = raised / raised.sum(-1, keepdims=True)
    found = {}
    for (target, matrix), level in zip(posteriors.items(), nodes.T, strict=True):
        belongs = np.zeros((len(nodes), matrix.shape[1]), dtype=np.float32)
        belongs[np.arange(len(nodes)), level] = 1
        found[target] = (shares @ belongs).astype(np.float32)
    return found
