"""relevance: query + product → grade: bought 2, viewed 1, sampled unseen 0; or the shop's own judgements."""

from collections.abc import Iterator

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
POOL = 100
"""Products, most alike first, of which wrong ones are drawn."""


@dataclass(config=OPTIONS, kw_only=True)
class Relevance(Graded):
    """Pairs of a query and a product, graded by what the shopper did, or by judgements where the shop has them."""

    negatives: int = Field(default=1, ge=0)
    """Unseen products drawn for each behaviour, by its row number: the same in every run."""
    hard: int = Field(default=0, ge=0)
    """Of the products that share most words with a training query, how many that nobody judged, viewed or bought for it
    are learnt as worth nothing: for a model that orders what a search finds. What is held out stays as it was judged.
    """

    def examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """One example a graded (query, product) pair.

        Raises:
            ConfigError: wrong products are to be learnt, and the grades are in no order.
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
            pairs = self._with_hard(list(pairs), position, texts)
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

    def _with_hard(self, pairs: list[GradedPair], place: dict[str, int], texts: list[str]) -> Iterator[GradedPair]:
        yield from pairs
        classes = sorted({label for _, _, _, label, _ in pairs})
        gains = self.graded(classes) if classes else []
        if gains is None:
            raise ConfigError(
                f"tasks.{self.name}.hard: expected grades in an order; say what they are worth with gains"
            )
        known: dict[str, set[int]] = {}
        first: dict[str, int] = {}
        for row, query, item, _, split in pairs:
            if split == "train":
                first.setdefault(query, row)
            if item in place:
                known.setdefault(query, set()).add(place[item])
        alike, _ = bm25_search(texts, list(first), POOL)
        items, least = list(place), classes[int(np.argmin(gains))] if classes else ""
        for own, (query, row) in zip(alike, first.items(), strict=True):
            draw = np.random.Generator(np.random.Philox(key=row)).permutation(own[own >= 0])
            wrong = [int(number) for number in draw if int(number) not in known.get(query, set())]
            yield from ((row, query, items[number], least, "train") for number in wrong[: self.hard])
