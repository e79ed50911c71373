"""Train, dev and test: by group or by user and time, never by row."""

import hashlib
from collections.abc import Sequence

import numpy as np

NAMES = np.array(["train", "dev", "test"])
Fractions = tuple[float, float, float]


def split_by_group(groups: Sequence[str], *, seed: int, fractions: Fractions) -> np.ndarray:
    """(N,) split names: a group falls whole, by its hash, whatever the other rows are.

    Args:
        groups: (N,) names.
        seed: other seeds, other splits.
        fractions: expected shares of train, dev and test.
    """
    place = np.array([_uniform(group, seed) for group in groups])
    return _named(place, fractions)


def split_by_user_and_time(
    users: Sequence[str | None],
    times: Sequence[float | None],
    queries: Sequence[str],
    *,
    seed: int,
    fractions: Fractions,
) -> np.ndarray:
    """(N,) split names: later users are held out, and every split lies after the one before it.

    Users are taken in the order of their first action; the first ones that hold the train share of the rows are train,
    the next dev, the last test. Rows of a user at or after the first action of the next split would mix the times: they
    are set `aside`. Rows without a time are split by user; rows without a user by query.
    """
    users_of = [user if user is not None else f"query {query}" for user, query in zip(users, queries, strict=True)]
    if any(time is None for time in times) or not len(times):
        return split_by_group(users_of, seed=seed, fractions=fractions)
    when = np.array(times, dtype=float)
    names, owner = np.unique(np.array(users_of), return_inverse=True)
    first = np.full(len(names), np.inf)
    np.minimum.at(first, owner, when)
    order = np.argsort(first, kind="stable")
    rows = np.bincount(owner, minlength=len(names))
    before = np.concatenate([[0], np.cumsum(rows[order])[:-1]])
    part = np.empty(len(names), dtype=int)
    part[order] = np.searchsorted(np.cumsum(fractions)[:2], before / len(when) + 1e-12, side="right")
    split = NAMES[part[owner]].astype(object)
    starts = [first[part == number].min(initial=np.inf) for number in range(3)]
    for number in range(2):
        split[(part[owner] == number) & (when >= min(starts[number + 1 :]))] = "aside"
    return split.astype(str)


def _uniform(group: str, seed: int) -> float:
    digest = hashlib.blake2b(f"{seed}\x1f{group}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _named(place: np.ndarray, fractions: Fractions) -> np.ndarray:
    return NAMES[np.searchsorted(np.cumsum(fractions)[:2], place, side="right")] if len(place) else np.array([], str)


def normalised(text: str) -> str:
    """A text by which rows are the same for a split."""
    return " ".join(text.casefold().split())
