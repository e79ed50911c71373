"""Train, dev and test: by group or by user and time, never by row."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NAMES = np.array(["train", "dev", "test"])
Fractions = tuple[float, float, float]


@dataclass(frozen=True)
class Fold:
    """Of cross-validation: one of several parts of what is not test. It is dev; the others are learnt from."""

    number: int
    of: int


def split_by_group(
    groups: Sequence[str],
    *,
    seed: int,
    fractions: Fractions,
    fold: Fold | None = None,
    labels: Sequence[str | None] | None = None,
) -> np.ndarray:
    """(N,) split names: a group falls whole, by its hash, whatever the other rows are.

    Args:
        groups: (N,) names.
        seed: other seeds, other splits.
        fractions: expected shares of train, dev and test.
        fold: of what is not test.
        labels: (N,) classes, each of which folds get equally many groups of; None: there are none.
    """
    place = np.array([_uniform(group, seed) for group in groups])
    split = _named(place, fractions)
    return split if fold is None else folded(split == "test", groups, seed, fold, labels)


def folded(
    test: np.ndarray, groups: Sequence[str], seed: int, fold: Fold, labels: Sequence[str | None] | None = None
) -> np.ndarray:
    """(N,) split names: a group that is not test falls whole into a fold: by its hash, or where there are labels, by
    its place among the groups of its label (its first row's) in the order of their hashes.
    """
    if labels is None or not len(groups):
        number = np.array([int(_uniform(f"fold\x1f{group}", seed) * fold.of) for group in groups], dtype=int)
    else:
        number = _dealt(~test, groups, seed, fold.of, labels)
    return np.where(test, "test", np.where(number == fold.number, "dev", "train"))


def _dealt(rows: np.ndarray, groups: Sequence[str], seed: int, count: int, labels: Sequence[str | None]) -> np.ndarray:
    """(N,) numbers of folds; the groups of a label are dealt out one by one, each label's from another fold on."""
    names, first, owner = np.unique(np.array(groups, dtype=object), return_index=True, return_inverse=True)
    kept = np.bincount(owner, weights=rows) > 0
    place = np.array([_uniform(f"fold\x1f{name}", seed) for name in names])
    classes, label = np.unique([str(labels[row]) for row in first], return_inverse=True)
    begun = np.array([int(_uniform(f"label\x1f{name}", seed) * count) for name in classes])
    order = np.lexsort((place, label, ~kept))
    order = order[kept[order]]
    starts = np.searchsorted(label[order], np.arange(len(classes)))
    number = np.zeros(len(names), dtype=int)
    number[order] = (np.arange(len(order)) - starts[label[order]] + begun[label[order]]) % count
    dealt: np.ndarray = number[owner]
    return dealt


def split_by_user_and_time(
    users: Sequence[str | None],
    times: Sequence[float | None],
    queries: Sequence[str],
    *,
    seed: int,
    fractions: Fractions,
    fold: Fold | None = None,
) -> np.ndarray:
    """(N,) split names: later users are held out, and every split lies after the one before it.

    Users are taken in the order of their first action; the first ones that hold the train share of the rows are train,
    the next dev, the last test. Rows of a user at or after the first action of the next split would mix the times: they
    are set `aside`. Rows without a time are split by user; rows without a user by query.

    Folds go forward in time: the users before the test split are cut into one part more than there are folds, and each
    fold learns from the parts before its own; later ones are set aside.
    """
    users_of = [user if user is not None else f"query {query}" for user, query in zip(users, queries, strict=True)]
    if any(time is None for time in times) or not len(times):
        return split_by_group(users_of, seed=seed, fractions=fractions, fold=fold)
    when = np.array(times, dtype=float)
    names, owner = np.unique(np.array(users_of), return_inverse=True)
    first = np.full(len(names), np.inf)
    np.minimum.at(first, owner, when)
    order = np.argsort(first, kind="stable")
    rows = np.bincount(owner, minlength=len(names))
    before = np.concatenate([[0], np.cumsum(rows[order])[:-1]])
    part = np.empty(len(names), dtype=int)
    bounds, parts = _timeline(fractions, fold)
    part[order] = parts[np.searchsorted(bounds, before / len(when) + 1e-12, side="right")]
    split = np.array([*NAMES, "aside"])[part[owner]].astype(object)
    starts = [first[part == number].min(initial=np.inf) for number in range(3)]
    for number in range(2):
        split[(part[owner] == number) & (when >= min(starts[number + 1 :]))] = "aside"
    return split.astype(str)


def _timeline(fractions: Fractions, fold: Fold | None) -> tuple[np.ndarray, np.ndarray]:
    """Where the parts of the rows, in the order of time, end; and the number of each part's name, aside the last."""
    known, test = np.cumsum(fractions)[:2]
    if fold is None:
        return np.array([known, test]), np.array([0, 1, 2])
    ends = test * np.arange(fold.number + 1, fold.number + 3) / (fold.of + 1)
    return np.array([*ends, test]), np.array([0, 1, 3, 2])


def _uniform(group: str, seed: int) -> float:
    digest = hashlib.blake2b(f"{seed}\x1f{group}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _named(place: np.ndarray, fractions: Fractions) -> np.ndarray:
    return NAMES[np.searchsorted(np.cumsum(fractions)[:2], place, side="right")] if len(place) else np.array([], str)


def normalised(text: str) -> str:
    """A text by which rows are the same for a split."""
    return " ".join(text.casefold().split())
