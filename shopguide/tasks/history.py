"""What a shopper has done up to a query: titles seen in the same session, and bought in earlier ones."""

from collections.abc import Iterator
from typing import Any

from shopguide.records.tables import Shop, column

REMEMBERED = 20
"""Titles of each kind: far more than a model reads."""

History = dict[str, list[str]]
"""`viewed` and `purchased`: titles, the most recent first."""


def histories(shop: Shop) -> list[History]:
    """One a behaviour, in the order of the rows.

    The last one of a list of viewed items is taken for the most recent. What is bought after the query itself is not
    part of it; rows without a user have no earlier purchases, rows without a time follow in the order of the file.
    """
    titles = dict(zip(column(shop.products, "item_id"), column(shop.products, "title"), strict=True))
    bought: dict[str, list[str]] = {}
    found: list[History] = [{} for _ in range(len(shop.behaviours))]
    for row, behaviour in _in_time(shop):
        user = behaviour["user_id"]
        viewed = [titles[item] for item in reversed(behaviour["viewed_items"]) if item in titles]
        earlier = bought.get(user, [])
        found[row] = {"viewed": viewed[:REMEMBERED], "purchased": earlier[:REMEMBERED]}
        if user is not None:
            own = [titles[item] for item in reversed(behaviour["purchased_items"]) if item in titles]
            bought[user] = [*own, *earlier][:REMEMBERED]
    return found


def _in_time(shop: Shop) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = list(enumerate(shop.behaviours))
    yield from sorted(rows, key=lambda pair: (pair[1]["timestamp"] is None, pair[1]["timestamp"] or 0.0))
