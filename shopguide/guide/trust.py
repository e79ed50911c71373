"""From which probability on a model is believed: where it was right nearly always on what it has not learnt from."""

from collections.abc import Iterable

import numpy as np

RIGHT, LEAST = 0.9, 10
"""Share of what it says that is to be right, and how often it must have said something for that to be seen."""
NEVER = 1.1
"""No probability is enough."""


def trusted_from(told: Iterable[tuple[float, bool]]) -> float:
    """The least probability from which on, and above, nine of ten are right; `NEVER`: there is none.

    Args:
        told: probabilities of what a model said, and whether it was right.
    """
    known = sorted(told, reverse=True)
    shares = np.cumsum([right for _, right in known]) / np.arange(1, len(known) + 1)
    enough = [sure for place, (sure, _) in enumerate(known) if place + 1 >= LEAST and shares[place] >= RIGHT]
    return min(enough, default=NEVER)
