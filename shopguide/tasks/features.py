"""features: a product's text → its category and key attributes, several heads over one encoder."""

from collections import Counter

from pydantic.dataclasses import dataclass

from shopguide.records.partition import Partition
from shopguide.records.splits import normalised
from shopguide.records.tables import Shop, attributes_of, rows_of
from shopguide.tasks.task import OPTIONS, Examples, Task, Truth, category_prefix
from shopguide.text.inputs import InputSpec

MIN_COVERAGE = 0.5
MAX_VALUES = 200


@dataclass(config=OPTIONS, kw_only=True)
class Features(Task):
    """Products with labels: `category`, its levels as `category.1`, `category.2`, …, or attributes by name."""

    fields: tuple[str, ...] = ("title", "description")
    targets: tuple[str, ...] | None = None
    """None: `category`, and each attribute that half of the products have, with 2 to 200 values."""
    tree: bool = False
    """The targets are the levels of a tree: answered so that they never contradict each other."""

    def __post_init__(self) -> None:
        if self.tree and len(self.targets or ()) < 2:
            raise ValueError(
                f"tree=true: expected the levels of a tree as targets (data.targets=[category.1,category.2,category]), "
                f"found {', '.join(self.targets or ()) or 'none'}"
            )

    @property
    def inputs(self) -> InputSpec:
        """The product's own words."""
        return InputSpec(tuple(self.fields))

    @property
    def wants(self) -> str:
        """Products with a category or attributes."""
        named = f" ({', '.join(self.targets)})" if self.targets else ""
        return f"It needs products with a category or attributes{named}."

    def examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """One example a product that has at least one of the targets."""
        targets = self.targets or frequent_targets(shop)
        found = Examples(
            labels={target: [] for target in targets},
            best=None if truth is None else {target: [] for target in targets},
        )
        for row, product in enumerate(rows_of(shop.products)):
            values = {**levels(product["category"]), **attributes_of(product)}
            if not any(values.get(target) for target in targets):
                continue
            found.first.append(self.inputs.render(product)[0])
            for target in targets:
                found.labels[target].append(values.get(target) or None)
            found.split.append(str(parts.products[row]))
            found.groups.append(normalised(product["title"]))
            if found.best is not None and truth is not None:
                best = truth.features(product["item_id"])
                known = {**levels(best["category"]), **best}
                for target in targets:
                    found.best[target].append(known.get(target) or "")
        return found


def levels(category: str | None) -> dict[str, str | None]:
    """`category`, and `category.1`, `category.2`, …: its path cut off after that many levels."""
    count = len(category.split("/")) if category else 0
    cut = {f"category.{depth}": category_prefix(category or "", depth) for depth in range(1, count + 1)}
    return {"category": category, **cut}


def frequent_targets(shop: Shop) -> tuple[str, ...]:
    """`category` and the attributes that most products have and that take few values."""
    count: Counter[str] = Counter()
    values: dict[str, set[str]] = {}
    for product in rows_of(shop.products):
        pairs = attributes_of(product)
        if product["category"]:
            pairs = {"category": product["category"], **pairs}
        for name, value in pairs.items():
            count[name] += 1
            if len(values.setdefault(name, set())) <= MAX_VALUES:
                values[name].add(value)
    needed = MIN_COVERAGE * len(shop.products)
    return tuple(n for n in count if count[n] >= needed and 2 <= len(values[n]) <= MAX_VALUES)
