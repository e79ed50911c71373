"""Queries and the products that were judged for them, or that the shopper viewed and bought: graded pairs.

Grades of behaviours: bought 2, viewed 1, unseen 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from sys import intern
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator
from pydantic.dataclasses import dataclass

from shopguide.errors import ConfigError
from shopguide.records.partition import Partition
from shopguide.records.tables import Shop, column, rows_of
from shopguide.tasks.task import OPTIONS, Task
from shopguide.text.inputs import InputSpec

GRADES = ("irrelevant", "viewed", "bought")
ESCI_GAINS = {"E": 1.0, "S": 0.1, "C": 0.01, "I": 0.0}
"""Exact, substitute, complement, irrelevant: the official ones of Shopping Queries (Reddy et al. 2022)."""
WANDS_GAINS = {"Exact": 1.0, "Partial": 0.5, "Irrelevant": 0.0}
"""As Wayfair's own example weighs them (Chen et al. 2022)."""
KNOWN_GAINS: tuple[Mapping[str, float], ...] = (
    {grade: float(i) for i, grade in enumerate(GRADES)},
    ESCI_GAINS,
    WANDS_GAINS,
)

GradedPair = tuple[int, str, str, str, str]
"""Row of the table, query, item_id, label, split."""


def named(gains: object) -> object:
    """With grades as texts: on a command line, `{1: 0.5}` is read as a number."""
    return {str(grade): gain for grade, gain in gains.items()} if isinstance(gains, Mapping) else gains


@dataclass(config=OPTIONS, kw_only=True)
class Graded(Task):
    """A task on graded pairs; by judgements where the shop has them, else by what the shopper did."""

    fields: tuple[str, ...] = ("title", "attributes")
    gains: Annotated[dict[str, float], BeforeValidator(named)] | None = None
    """Grade → what a product of that grade is worth in a ranking. Without: bought 2, viewed 1, irrelevant 0; the grades
    of ESCI and WANDS as those sets count them; of numbers, how far each is above the least. Grades of other names are
    in no order."""

    def graded(self, classes: Sequence[str]) -> list[float] | None:
        """The gains that were set, those of known grades, or the grades themselves where they are numbers.

        Raises:
            ConfigError: `gains` lacks a class, has one below 0, or the same for all.
        """
        if self.gains is not None:
            unknown = sorted(set(classes) - set(self.gains))
            if unknown or min(self.gains.values()) < 0:
                found = f"none for {', '.join(unknown)}" if unknown else "one below 0"
                raise ConfigError(f"tasks.{self.name}.gains: expected at least 0 for each grade, found {found}")
            if len({self.gains[name] for name in classes}) < 2:
                raise ConfigError(f"tasks.{self.name}.gains: expected grades of unequal worth, found the same for all")
            return [self.gains[name] for name in classes]
        for known in KNOWN_GAINS:
            if set(classes) <= set(known):
                return [known[name] for name in classes]
        try:
            values = [float(name) for name in classes]
        except ValueError:
            return None
        return [value - min(values) for value in values] if np.isfinite(values).all() else None

    @property
    def inputs(self) -> InputSpec:
        """The query, and the product's own words."""
        return InputSpec(("query",), tuple(self.fields))

    @property
    def wants(self) -> str:
        """Judgements, or behaviours with views and purchases, and products."""
        return "It needs products, and judgements or behaviours with viewed_items or purchased_items."


def graded_pairs(shop: Shop, parts: Partition, negatives: int) -> Iterator[GradedPair]:
    """Every graded pair but those set aside.

    Args:
        shop: checked tables.
        parts: the split of each row.
        negatives: unseen products drawn for each behaviour, by its row number: the same in every run.
    """
    pairs = _judged(shop, parts) if len(shop.judgements) else _behaved(shop, parts, negatives)
    return (pair for pair in pairs if pair[4] != "aside")


def _judged(shop: Shop, parts: Partition) -> Iterator[GradedPair]:
    columns = (column(shop.judgements, name) for name in ("query", "item_id", "label"))
    splits = map(intern, map(str, parts.judgements))
    for row, (query, item, label, split) in enumerate(zip(*columns, splits, strict=True)):
        yield row, query, item, label, split


def _behaved(shop: Shop, parts: Partition, negatives: int) -> Iterator[GradedPair]:
    items = column(shop.products, "item_id")
    for row, behaviour in enumerate(rows_of(shop.behaviours)):
        grades = dict.fromkeys(behaviour["viewed_items"], 1) | dict.fromkeys(behaviour["purchased_items"], 2)
        if not grades or not items or not behaviour["query"]:
            continue
        draw = np.random.Generator(np.random.Philox(key=row)).integers(0, len(items), negatives)
        grades |= {items[i]: 0 for i in draw if items[i] not in grades}
        for item, grade in grades.items():
            yield row, behaviour["query"], item, GRADES[grade], str(parts.behaviours[row])
