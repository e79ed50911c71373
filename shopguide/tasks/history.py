"""What a shopper has done up to a query: products seen in the same session, and bought in earlier ones."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from shopguide.records.tables import Shop, column, rows_of

REMEMBERED = 20
"""Products of each kind: far more than a model reads."""

History = dict[str, list[str]]
"""`viewed` and `purchased`: products, the most recent first."""


def histories(shop: Shop) -> list[History]:
    """The item_ids of known products, one history a behaviour, in the order of the rows.

    The last one of a list of viewed items is taken for the most recent. What is bought after the query itself is not
    part of it; rows without a user have no earlier purchases, rows without a time follow in the order of the file.
    """
    known = set(column(shop.products, "item_id"))
    bought: dict[str, list[str]] = {}
    found: list[History] = [{} for _ in range(len(shop.behaviours))]
    for row, behaviour in _in_time(shop):
        user = behaviour["user_id"]
        viewed, own = (
            [item for item in reversed(behaviour[name]) if item in known]
            for name in ("viewed_items", "purchased_items")
        )
        earlier = bought.get(user, [])
        found[row] = {"viewed": viewed[:REMEMBERED], "purchased": earlier[:REMEMBERED]}
        if user is not None:
            bought[user] = [*own, *earlier][:REMEMBERED]
    return found


def after_held_out(shop: Shop, split: np.ndarray) -> set[int]:
    """The training rows of shoppers after a dev or test row of theirs: what they remember is held out."""
    seen: set[str] = set()
    found: set[int] = set()
    for row, behaviour in _in_time(shop):
        user = behaviour["user_id"]
        if user is not None and split[row] in ("dev", "test"):
            seen.add(user)
        elif user in seen and split[row] == "train":
            found.add(row)
    return found


def in_words(history: History, words: Mapping[str, str]) -> History:
    """A history of what the products are called."""
    return {kind: [words[item] for item in items] for kind, items in history.items()}


def _in_time(shop: Shop) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = list(enumerate(rows_of(shop.behaviours)))
    yield from sorted(rows, key=lambda pair: (pair[1]["timestamp"] is None, pair[1]["timestamp"] or 0.0))
