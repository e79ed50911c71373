"""search: query → the products of the catalogue that fit it, nearest first."""

from collections.abc import Sequence

from pydantic.dataclasses import dataclass

from shopguide.errors import ConfigError, nearest
from shopguide.records.partition import Partition
from shopguide.records.splits import normalised
from shopguide.records.tables import Shop, column, rows_of
from shopguide.tasks.crops import crop
from shopguide.tasks.graded import Graded, GradedPair, graded_pairs
from shopguide.tasks.task import OPTIONS, Catalogue, Examples, Kind, Truth
from shopguide.text.inputs import field_value

TEXTS = ("title", "description", "category", "attributes")
FITS = "1"
"""Where it is the only grade, what is judged at all fits."""


@dataclass(config=OPTIONS, kw_only=True)
class Search(Graded):
    """Queries with the products that were judged good for them, or that the shopper viewed and bought."""

    crops: tuple[str, ...] = ()
    """Fields of a product of which a few words each serve as its queries, where nobody has asked for anything yet."""

    @property
    def kind(self) -> Kind:
        """Retrieval."""
        return "retrieval"

    @property
    def wants(self) -> str:
        """As all tasks on graded pairs; or products alone."""
        return f"{super().wants} With tasks.{self.name}.crops=[title], products alone."

    def examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """One example a judged query, or a behaviour, with what its products are worth; or a crop of each product."""
        found = Examples(wanted=[], catalogue=Catalogue(column(shop.products, "item_id"), self.shown(shop)))
        assert found.catalogue is not None
        known = set(found.catalogue.ids)
        pairs = [pair for pair in graded_pairs(shop, parts, 0) if pair[2] in known]
        if pairs:
            self._asked(found, pairs, judged=len(shop.judgements) > 0)
        else:
            self._cropped(found, shop, parts)
        return found

    def _cropped(self, found: Examples, shop: Shop, parts: Partition) -> None:
        assert found.wanted is not None
        self._check_crops(shop)
        for row, product in enumerate(rows_of(shop.products)):
            for number, field in enumerate(self.crops):
                if query := crop(field_value(product, field), row, number):
                    found.first.append(query)
                    found.split.append(str(parts.products[row]))
                    found.groups.append(normalised(product["title"]))
                    found.wanted.append({product["item_id"]: 1.0})

    def _check_crops(self, shop: Shop) -> None:
        for field in self.crops:
            if len(shop.products) and not any(field_value(product, field) for product in rows_of(shop.products)):
                hint = nearest(field, TEXTS)
                raise ConfigError(f"tasks.{self.name}.crops={field}: expected a field that products have{hint}")

    def _asked(self, found: Examples, pairs: Sequence[GradedPair], judged: bool) -> None:
        assert found.wanted is not None
        worth = self._worth({label for _, _, _, label, _ in pairs})
        place: dict[str, int] = {}
        for row, query, item, label, split in pairs:
            name = query if judged else str(row)
            if name not in place:
                place[name] = len(place)
                found.first.append(query)
                found.split.append(split)
                found.groups.append(normalised(query))
                found.wanted.append({})
            found.wanted[place[name]][item] = worth[label]

    def _worth(self, labels: set[str]) -> dict[str, float]:
        classes = sorted(labels)
        gains = [1.0] if classes == [FITS] and self.gains is None else self.graded(classes)
        if gains is None:
            raise ConfigError(
                f"tasks.{self.name}.gains: expected what each grade is worth ({', '.join(classes)}), found none"
            )
        return dict(zip(classes, gains, strict=True))
