"""relevance: query + product → grade: bought 2, viewed 1, sampled unseen 0; or the shop's own judgements."""

from collections.abc import Iterator
from itertools import chain

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from shopguide.errors import ConfigError
from shopguide.records.partition import Partition
from shopguide.records.splits import normalised
from shopguide.records.tables import Shop, column
from shopguide.tasks.bm25 import bm25_search
from shopguide.tasks.coded import Coded
from shopguide.tasks.graded import GRADES, Graded, GradedPair, graded_pairs
from shopguide.tasks.task import OPTIONS, Examples, Truth

TARGET = "grade"
AT_ONCE = 1 << 16
"""Queries."""
POOL = 100
"""Products, most alike first, of which wrong ones are drawn."""


@dataclass(config=OPTIONS, kw_only=True)
class Relevance(Graded):
    """Pairs of a query and a product, graded by what the shopper did, or by judgements where the shop has them."""

    negatives: int = Field(default=1, ge=0)
    """Unseen products drawn for each behaviour, by its row number: the same in every run."""
    hard: int = Field(default=0, ge=0)
    """Of the products that share most words with a training query, how many that no training row grades for it are
    learnt as worth nothing: for a model that orders what a search finds. Only in training: nothing is scored on them.
    """

    def examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """One example a graded (query, product) pair.

        Raises:
            ConfigError: wrong products are to be learnt, and no grade is worth nothing, or they are in no order.
        """
        found = Examples(
            first=Coded(),
            second=Coded(),
            labels={TARGET: Coded()},
            split=Coded(),
            groups=Coded(),
            lists=Coded(),
            best=None if truth is None else {TARGET: []},
        )
        assert found.lists is not None
        assert found.second is not None
        position = {item: row for row, item in enumerate(column(shop.products, "item_id"))}
        texts, judged = self.shown(shop), len(shop.judgements) > 0
        pairs = graded_pairs(shop, parts, self.negatives)
        if self.hard:
            pairs = chain(pairs, self._wrong(shop, parts, position, texts))
        for row, query, item, label, split in pairs:
            if item not in position:
                continue
            found.first.append(query)
            found.second.append(texts[position[item]])
            found.labels[TARGET].append(label)
            found.split.append(split)
            found.groups.append(normalised(query))
            found.lists.append(query if judged else str(row))
            if found.best is not None and truth is not None:
                found.best[TARGET].append(GRADES[truth.relevance(row, item)])
        return found

    def _wrong(self, shop: Shop, parts: Partition, place: dict[str, int], texts: list[str]) -> Iterator[GradedPair]:
        """Products that share most words with a training query, none that reads like one that is graded for it."""
        worthless = self._worthless(shop, parts)
        first: dict[str, tuple[int, str]] = {}
        known: dict[str, set[str]] = {}
        for row, query, item, _, split in graded_pairs(shop, parts, self.negatives):
            if split == "train" and item in place:
                first.setdefault(normalised(query), (row, query))
                known.setdefault(normalised(query), set()).add(texts[place[item]])
        items, asked = list(place), list(first)
        for start in range(0, len(asked), AT_ONCE):
            queries = [first[name][1] for name in asked[start : start + AT_ONCE]]
            for name, own in zip(asked[start : start + AT_ONCE], bm25_search(texts, queries, POOL)[0], strict=True):
                row, query = first[name]
                draw = np.random.Generator(np.random.Philox(key=row)).permutation(own[own >= 0])
                wrong = [int(number) for number in draw if texts[int(number)] not in known[name]]
                yield from ((row, query, items[number], worthless, "train") for number in wrong[: self.hard])

    def _worthless(self, shop: Shop, parts: Partition) -> str:
        """The grade of what nobody wants."""
        if not len(shop.judgements):
            return GRADES[0]
        classes = sorted({label for _, _, _, label, _ in graded_pairs(shop, parts, 0)})
        gains = self.graded(classes) if classes else None
        if classes and gains is None:
            raise ConfigError(
                f"tasks.{self.name}.hard: expected grades in an order; say what they are worth with gains"
            )
        if gains is None or len(classes) < 2 or min(gains) > 0:
            raise ConfigError(
                f"tasks.{self.name}.hard: expected a grade that is worth nothing beside others, found "
                f"{', '.join(classes) or 'none'}"
            )
        return classes[int(np.argmin(gains))]
