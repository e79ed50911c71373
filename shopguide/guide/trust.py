"""From which probability on a model is believed: where it was right nearly always on what it has not learnt from."""

from collections.abc import Iterable

RIGHT, LEAST = 0.9, 10
"""Share of what it says that is to be right, and how often it must have said something for that to be seen."""
NEVER = 1.1
"""No probability is enough."""


def trusted_from(told: Iterable[tuple[float, bool]]) -> float:
    """The least probability of which nine of ten are right, not only of it and all above; `NEVER`: there is none.

    How many are right is a step function that does not fall (isotonic regression; Zadrozny & Elkan 2002).

    Args:
        told: probabilities of what a model said, and whether it was right.
    """
    from sklearn.isotonic import IsotonicRegression

    known = list(told)
    if not known:
        return NEVER
    sure, right = zip(*known, strict=True)
    shares = IsotonicRegression().fit_transform(sure, [float(one) for one in right])
    enough = [own for own, share in zip(sure, shares, strict=True) if share >= RIGHT]
    return min(enough) if len(enough) >= LEAST else NEVER
