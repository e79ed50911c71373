"""One posterior of two models: P(y | x) ∝ P_network(y | x)ᵃ · P_lexical(y | x)ᵇ, a logarithmic opinion pool.

a and b of each target are those of the lowest negative log likelihood on examples that neither model has learnt from
(stacking; Wolpert 1992; of log-linear pools: Heskes 1998), each example weighted by 1 / √n, n that of its class: else
the frequent classes alone decide. So where words decide, the lexical model is believed, and where it knows nothing
more, the network alone. Shapes: N examples, C classes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shopguide.tasks.labels import LabelSpaces, encode_labels
from shopguide.tasks.lexical import Lexical, Posteriors
from shopguide.tasks.task import Examples

FILE = "fusion.json"
FOLDS = 5
KEPT = 40_000
"""N-grams of the lexical branch."""
START = (0.7, 0.5)
SMALLEST = 1e-9

Powers = dict[str, tuple[float, float]]
"""Target → a and b."""


@dataclass
class Fusion:
    """The lexical model, and how far each of the two is believed."""

    lexical: Lexical
    powers: Powers

    @classmethod
    def fit(
        cls, lexical: Lexical, network: Mapping[str, np.ndarray], held_out: Examples, spaces: LabelSpaces
    ) -> "Fusion":
        """Choose a and b.

        Args:
            lexical: fitted on the training examples.
            network: target → (N, C) of the held-out examples.
            held_out: learnt from by neither; without any, both are believed alike.
            spaces: target → classes.
        """
        lexical = lexical.pruned(KEPT)
        said, labels = lexical.posterior(held_out.first, held_out.second), encode_labels(held_out, spaces)
        every = np.arange(len(held_out))
        powers = {
            target: _powers(network[target], said[target], column, every)
            for column, target in zip(labels.T, spaces, strict=True)
        }
        return cls(lexical, powers)

    def cross_fitted(self, network: Mapping[str, np.ndarray], held_out: Examples, spaces: LabelSpaces) -> Posteriors:
        """Target → (N, C) of the same held-out examples, each fused by powers chosen on the other folds of groups."""
        said, labels = self.lexical.posterior(held_out.first, held_out.second), encode_labels(held_out, spaces)
        _, group = np.unique(held_out.groups, return_inverse=True)
        fold = np.random.default_rng(0).integers(0, FOLDS, int(group.max(initial=0)) + 1)[group]
        found = {target: np.zeros_like(network[target]) for target in spaces}
        for number in range(FOLDS):
            own, others = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
            for column, target in zip(labels.T, spaces, strict=True):
                powers = _powers(network[target], said[target], column, others)
                found[target][own] = pool(network[target][own], said[target][own], *powers)
        return found

    def __call__(
        self, network: Mapping[str, np.ndarray], first: Sequence[str], second: Sequence[str] | None
    ) -> Posteriors:
        """Target → (N, C) fused probabilities."""
        said = self.lexical.posterior(first, second)
        return {target: pool(network[target], said[target], *powers) for target, powers in self.powers.items()}

    def save(self, folder: Path) -> None:
        """Write it into a folder beside a model."""
        folder.mkdir(exist_ok=True)
        self.lexical.save(folder)
        (folder / FILE).write_text(json.dumps(self.powers, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Fusion | None":
        """Read it from beside a model; None where it has none."""
        if not (folder / FILE).is_file():
            return None
        powers = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return cls(Lexical.load(folder), {target: (a, b) for target, (a, b) in powers.items()})


def pool(one: np.ndarray, other: np.ndarray, a: float, b: float) -> np.ndarray:
    """(N, C) ∝ oneᵃ · otherᵇ."""
    scores = a * np.log(np.maximum(one, SMALLEST)) + b * np.log(np.maximum(other, SMALLEST))
    raised = np.exp(scores - scores.max(-1, keepdims=True)) if len(scores) else scores
    pooled: np.ndarray = (raised / raised.sum(-1, keepdims=True)).astype(np.float32)
    return pooled


def _powers(one: np.ndarray, other: np.ndarray, labels: np.ndarray, chosen: np.ndarray) -> tuple[float, float]:
    """a and b by the chosen rows of a known class."""
    from scipy.optimize import minimize

    known = chosen[(labels[chosen] >= 0) & (labels[chosen] < one.shape[1])]
    if not len(known):
        return START
    one, other, truth, rows = one[known], other[known], labels[known], np.arange(len(known))
    weights = 1 / np.sqrt(np.bincount(truth)[truth])
    weights /= weights.sum()

    def loss(powers: np.ndarray) -> float:
        return float(-weights @ np.log(np.maximum(pool(one, other, *powers)[rows, truth], SMALLEST)))

    found = minimize(loss, START, method="Nelder-Mead", bounds=[(0, 4), (0, 4)], options={"xatol": 1e-3, "fatol": 1e-6})
    return float(found.x[0]), float(found.x[1])
