"""Close calls of a posterior that is not exact, made again exactly: so that its answers are the exact ones.

Shapes: N examples, C classes of a target.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from shopguide.inference.answers import BATCH_TOKENS, Classifier
from shopguide.tasks.lexical import Posteriors

CLOSE = 0.02
"""Two classes whose probabilities are less than this apart may change places in bfloat16."""
Texts = Sequence[str]
Decision = Callable[[Posteriors, Texts, Texts | None], Posteriors]
"""What is said of texts, or of pairs of them, where the network says so much."""


class Sure(Classifier):
    """A classifier that may make close calls again."""

    @abstractmethod
    def sure(
        self, first: Texts, second: Texts | None, batch_tokens: int, decide: Decision, again: bool = True
    ) -> Posteriors:
        """What `decide` makes of the network's posteriors; `again`: with a second look at close calls."""

    def network_posterior(
        self, first: Texts, second: Texts | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> Posteriors:
        """What the network alone says: target → (N, C) probabilities, rows as given."""
        return self.sure(first, second, batch_tokens, lambda own, *_texts: own)

    def posterior(self, first: Texts, second: Texts | None = None, *, batch_tokens: int = BATCH_TOKENS) -> Posteriors:
        """Target → (N, C) probabilities, rows as given."""
        return self.sure(first, second, batch_tokens, self.decided)

    def rough_posterior(
        self, first: Texts, second: Texts | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> Posteriors:
        """As `posterior`, without a second look at close calls."""
        return self.sure(first, second, batch_tokens, self.decided, again=False)


def distances(posterior: np.ndarray) -> np.ndarray:
    """(N, C) → (N,) how far the two most probable classes are apart; 1 where there is one class only."""
    if posterior.shape[1] < 2:
        return np.ones(len(posterior))
    top = -np.partition(-posterior, 1, axis=1)[:, :2]
    apart: np.ndarray = top[:, 0] - top[:, 1]
    return apart


def looked_twice(
    rough: Posteriors,
    exactly: Callable[[np.ndarray], Posteriors],
    decide: Decision,
    first: Texts,
    second: Texts | None,
    closer_than: float | None = None,
) -> Posteriors:
    """What is decided by a rough posterior, and by an exact one where either is a close call.

    Args:
        rough: what the network says: target → (N, C).
        exactly: what it says in truth of some rows.
        decide: what is made of it.
        first: N texts.
        second: the others of N pairs.
        closer_than: a call is close where two classes are; None: `CLOSE`.
    """
    found = decide(rough, first, second)
    least = CLOSE if closer_than is None else closer_than
    close = np.flatnonzero(np.any([distances(part) < least for part in (*rough.values(), *found.values())], axis=0))
    if len(close):
        asked, beside = taken(first, close), None if second is None else taken(second, close)
        for target, again in decide(exactly(close), asked, beside).items():
            found[target][close] = again
    return found


def taken(texts: Texts, rows: np.ndarray) -> list[str]:
    """Some of the texts."""
    return [texts[row] for row in rows.tolist()]


def shift(rough: np.ndarray, exact: np.ndarray) -> float:
    """The most by which the rough posterior's most probable class is otherwise apart from another, of (N, C) each:
    where all others are farther away, it is the exact one's too.
    """
    first = rough.argmax(1)[:, None] if rough.size else np.zeros((0, 1), dtype=np.int64)
    ours, theirs = (np.take_along_axis(part, first, axis=1) - part for part in (rough, exact))
    return float(np.abs(ours - theirs).max(initial=0.0))
