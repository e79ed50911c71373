"""Which calls of 8-bit weights are close: measured on texts, for the model that makes those again exactly.

Shapes: N examples, C classes of a target.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shopguide.inference.onnx import ALONE, TOGETHER, OnnxPredictor, load_onnx
from shopguide.inference.second_look import Texts, distances, shift

SLACK_ALONE, SLACK_TOGETHER = 1.25, 1.5
"""How many times as much as was seen is allowed for: in company, it hangs on the company."""
Parts = list[np.ndarray]
"""(N, C) of each target: by the network, and as it is decided."""


@dataclass(frozen=True)
class Closeness:
    """The distances of two classes below which they may change places with 8-bit weights."""

    alone: float
    """Of a text that is answered alone."""
    together: float
    """Of several."""
    again: float
    """Share of the texts whose two classes, each text alone, are nearer than `alone`."""

    @property
    def metadata(self) -> dict[str, str]:
        """What the model's file is to tell."""
        return {ALONE: str(self.alone), TOGETHER: str(self.together)}


def measured(folder: Path, first: Texts, second: Texts | None) -> Closeness:
    """Somewhat more than the most by which 8-bit weights were off, in the network's posterior or in what is decided
    by it.

    Args:
        folder: of both models.
        first: N texts, as they will come.
        second: the others of N pairs.
    """
    rough = load_onnx(folder)
    assert isinstance(rough, OnnxPredictor)
    exact, rough.exact = rough.exact, None
    assert exact is not None
    right = _said(exact, first, second)
    each = [_said(rough, first[row : row + 1], second and second[row : row + 1]) for row in range(len(first))]
    single = [np.concatenate(rows) for rows in zip(*each, strict=True)]
    alone = SLACK_ALONE * _shift(single, right)
    together = SLACK_TOGETHER * _shift(_said(rough, first, second), right)
    again = np.any([distances(part) < alone for part in single], axis=0)
    return Closeness(alone, max(alone, together), float(again.mean()))


def _said(model: OnnxPredictor, first: Texts, second: Texts | None) -> Parts:
    own = model.network_posterior(first, second)
    return [*own.values(), *model.decided(own, first, second).values()]


def _shift(rough: Parts, exact: Parts) -> float:
    return max(shift(ours, theirs) for ours, theirs in zip(rough, exact, strict=True))
