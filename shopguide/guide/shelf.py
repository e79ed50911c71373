"""The products of a shop as the guide looks them up: by item_id, by what they are, by what they cost.

Shapes: M products.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from shopguide.errors import DataError, nearest
from shopguide.records.tables import Shop, attributes_of, column

CATEGORY = "category"
COVERAGE = 0.2
"""Of the products, the share that has an attribute by which is filtered."""


@dataclass(frozen=True)
class Facet:
    """What the products are, in one respect: P pairs of a product and a value that it has."""

    values: list[str]
    rows: np.ndarray
    """(P,) of the products."""
    numbers: np.ndarray
    """(P,) of the values."""
    codes: np.ndarray
    """(M,) the number of each product's first value; -1 where it has none."""


@dataclass(frozen=True)
class Asked:
    """What products are to be like: of each facet one of the values (of the category, a level of its path), a price.
    The case of letters does not count.
    """

    filters: Mapping[str, Sequence[str]]
    price_from: float | None = None
    price_to: float | None = None
    without: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of each facet values that they do not have."""

    @property
    def names_price(self) -> bool:
        """Whether a price is asked for."""
        return self.price_from is not None or self.price_to is not None


class Shelf:
    """The products of a shop, in its order.

    Args:
        shop: its records.

    Raises:
        DataError: there are none.
    """

    def __init__(self, shop: Shop) -> None:
        if not len(shop.products):
            raise DataError("catalogue: expected products, found none")
        self._table = shop.products
        self.ids: list[str] = column(shop.products, "item_id")
        self.place = {item: row for row, item in enumerate(self.ids)}
        self.titles: list[str] = column(shop.products, "title")
        self.categories: list[str | None] = column(shop.products, CATEGORY)
        known = [np.nan if price is None else price for price in column(shop.products, "price")]
        self.prices = np.array(known, dtype=np.float64)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def is_priced(self) -> bool:
        """Whether a fifth of the products have prices, so that shoppers may ask for some."""
        return bool(np.isfinite(self.prices).mean() >= COVERAGE)

    def product(self, row: int) -> dict[str, Any]:
        """A product's fields, attributes by name."""
        found = self._table[int(row)]
        return {**found, "attributes": attributes_of(found)}

    @cached_property
    def facets(self) -> dict[str, Facet]:
        """The category, and each attribute that a fifth of the products have."""
        named = [_by_name(pairs) for pairs in column(self._table, "attributes")]
        count = Counter(name for own in named for name in own)
        names = [name for name, products in count.most_common() if products >= COVERAGE * len(self) and name]
        found = {CATEGORY: _facet([[category] if category else [] for category in self.categories])}
        return found | {name: _facet([own.get(name, []) for own in named]) for name in names if name != CATEGORY}

    def allowed(self, asked: Asked) -> np.ndarray | None:
        """(M,) which products are as asked; None: all.

        Raises:
            DataError: there is no such facet.
        """
        found: np.ndarray | None = None
        for name, wanted in asked.filters.items():
            if name not in self.facets:
                raise DataError(f"filters.{name}: expected a facet of this catalogue{nearest(name, self.facets)}")
            said = [value.casefold() for value in wanted]
            own = self._with(name, [_fits(name, value.casefold(), said) for value in self.facets[name].values])
            found = own if found is None else found & own
        for name, unwanted in asked.without.items():
            refused = {plain_value(name, value) for value in unwanted}
            own = ~self._with(name, [plain_value(name, value) in refused for value in self.facets[name].values])
            found = own if found is None else found & own
        for bound, sign in ((asked.price_from, 1), (asked.price_to, -1)):
            if bound is not None:
                own = sign * self.prices >= sign * bound
                found = own if found is None else found & own
        return found

    def _with(self, name: str, fits: Sequence[bool]) -> np.ndarray:
        """(M,) which products have a value of a facet that fits."""
        facet, found = self.facets[name], np.zeros(len(self), bool)
        found[facet.rows[np.array(fits, bool)[facet.numbers]]] = True
        return found

    def counted(self, rows: np.ndarray, most: int) -> dict[str, list[tuple[str, int]]]:
        """Facet → its most frequent values among some products, and of how many each is; none of a facet with one.

        Args:
            rows: of the products.
            most: values of a facet.
        """
        told, among = {}, np.zeros(len(self), bool)
        among[rows] = True
        for name, facet in self.facets.items():
            values, counts = np.unique(facet.numbers[among[facet.rows]], return_counts=True)
            order = np.argsort(-counts, kind="stable")[:most]
            if len(values) > 1:
                told[name] = [(facet.values[values[place]], int(counts[place])) for place in order]
        return told


def _by_name(pairs: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for pair in pairs:
        named.setdefault(pair["name"], []).append(pair["value"])
    return named


def _facet(column: Sequence[Sequence[str]]) -> Facet:
    values = sorted({value for own in column for value in own})
    number = {value: code for code, value in enumerate(values)}
    pairs = [(row, number[value]) for row, own in enumerate(column) for value in own]
    rows, numbers = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    codes = np.array([number[own[0]] if own else -1 for own in column], dtype=np.int64)
    return Facet(values, rows, numbers, codes)


def plain_value(name: str, value: str) -> str:
    """A value of a facet as shoppers say it: in lower case, of a category the last level of its path."""
    said = value.rpartition("/")[2] if name == CATEGORY else value
    return re.sub(r"[\s_]+", " ", said.casefold()).strip()


def _fits(name: str, value: str, wanted: Sequence[str]) -> bool:
    return value in wanted or (name == CATEGORY and any(value.startswith(f"{level}/") for level in wanted))
