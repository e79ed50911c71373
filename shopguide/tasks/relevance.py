"""relevance: query + product → grade: bought 2, viewed 1, sampled unseen 0; or the shop's own judgements."""

from sys import intern

from pydantic import Field
from pydantic.dataclasses import dataclass

from shopguide.records.partition import Partition
from shopguide.records.splits import normalised
from shopguide.records.tables import Shop, column
from shopguide.tasks.graded import GRADES, Graded, graded_pairs
from shopguide.tasks.task import OPTIONS, Examples, Truth

TARGET = "grade"


@dataclass(config=OPTIONS, kw_only=True)
class Relevance(Graded):
    """Pairs of a query and a product, graded by what the shopper did, or by judgements where the shop has them."""

    negatives: int = Field(default=1, ge=0)
    """Unseen products drawn for each behaviour, by its row number: the same in every run."""

    def examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """One example a graded (query, product) pair."""
        found = Examples(second=[], labels={TARGET: []}, lists=[], best=None if truth is None else {TARGET: []})
        assert found.lists is not None
        assert found.second is not None
        position = {item: row for row, item in enumerate(column(shop.products, "item_id"))}
        texts, judged = self.shown(shop), len(shop.judgements) > 0
        for row, query, item, label, split in graded_pairs(shop, parts, self.negatives):
            if item not in position:
                continue
            found.ids.append(f"{row} {item}")
            found.first.append(query)
            found.second.append(texts[position[item]])
            found.labels[TARGET].append(label)
            found.split.append(split)
            found.groups.append(intern(normalised(query)))
            found.lists.append(query if judged else str(row))
            if found.best is not None and truth is not None:
                found.best[TARGET].append(GRADES[truth.relevance(row, item)])
        return found
