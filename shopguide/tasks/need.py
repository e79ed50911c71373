"""need: query → the category that the shopper wants, learnt from what was bought after it."""

from collections import Counter

from pydantic import Field
from pydantic.dataclasses import dataclass

from shopguide.records.partition import Partition
from shopguide.records.splits import normalised
from shopguide.records.tables import Shop, column
from shopguide.tasks.history import histories, in_words
from shopguide.tasks.task import OPTIONS, Examples, Kind, Task, Truth, category_prefix
from shopguide.text.inputs import InputSpec

TARGET = "category"


@dataclass(config=OPTIONS, kw_only=True)
class Need(Task):
    """Behaviours with a purchase: the query is the text, the purchased product's category the label."""

    depth: int | None = Field(default=None, ge=1)
    several: bool = False
    """Answer with all categories that were bought, not with the most frequent one alone."""
    history: bool = False
    """Read what the shopper has viewed and bought before, too, the most recent first: what is too long is cut off."""

    @property
    def kind(self) -> Kind:
        """One category, or several."""
        return "multilabel" if self.several else "classification"

    @property
    def inputs(self) -> InputSpec:
        """The query, alone or with the history."""
        return InputSpec(("query", "viewed", "purchased") if self.history else ("query",))

    @property
    def wants(self) -> str:
        """Behaviours with purchases, and products with categories."""
        return "It needs behaviours with purchased_items whose products have a category."

    def examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """One example a behaviour with a purchase of known category (the most frequent one, if several)."""
        pairs = zip(column(shop.products, "item_id"), column(shop.products, "category"), strict=True)
        categories = {item: category_prefix(category, self.depth) for item, category in pairs if category}
        titles = dict(zip(column(shop.products, "item_id"), column(shop.products, "title"), strict=True))
        before = histories(shop) if self.history else [{} for _ in range(len(shop.behaviours))]
        found = Examples(labels={TARGET: []}, best=None if truth is None else {TARGET: []})
        every: list[list[str]] = []
        for row, (query, bought) in enumerate(
            zip(column(shop.behaviours, "query"), column(shop.behaviours, "purchased_items"), strict=True)
        ):
            known = [categories[item] for item in bought if item in categories]
            split = str(parts.behaviours[row])
            text = self.inputs.render({"query": query, **in_words(before[row], titles)})[0]
            if not known or not text or split == "aside":
                continue
            found.first.append(text)
            every.append(sorted(set(known)))
            found.labels[TARGET].append(Counter(known).most_common(1)[0][0])
            found.split.append(split)
            found.groups.append(normalised(query or text))
            if found.best is not None and truth is not None:
                found.best[TARGET].append(category_prefix(truth.need(row), self.depth))
        if self.several:
            found.labels, found.best, found.values = {}, None, every
        return found
