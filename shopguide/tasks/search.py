"""search: query → the products of the catalogue that fit it, nearest first."""

from pydantic.dataclasses import dataclass

from shopguide.errors import ConfigError
from shopguide.records.partition import Partition
from shopguide.records.splits import normalised
from shopguide.records.tables import Shop, column
from shopguide.tasks.graded import Graded, graded_pairs
from shopguide.tasks.task import OPTIONS, Catalogue, Examples, Kind, Truth

FITS = "1"
"""Where it is the only grade, what is judged at all fits."""


@dataclass(config=OPTIONS, kw_only=True)
class Search(Graded):
    """Queries with the products that were judged good for them, or that the shopper viewed and bought."""

    @property
    def kind(self) -> Kind:
        """Retrieval."""
        return "retrieval"

    def examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """One example a judged query, or a behaviour, with what its products are worth."""
        found = Examples(wanted=[], catalogue=Catalogue(column(shop.products, "item_id"), self.shown(shop)))
        assert found.wanted is not None
        assert found.catalogue is not None
        known, judged = set(found.catalogue.ids), len(shop.judgements) > 0
        pairs = [pair for pair in graded_pairs(shop, parts, 0) if pair[2] in known]
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
        return found

    def _worth(self, labels: set[str]) -> dict[str, float]:
        classes = sorted(labels)
        gains = [1.0] if classes == [FITS] and self.gains is None else self.graded(classes)
        if gains is None:
            raise ConfigError(
                f"tasks.{self.name}.gains: expected what each grade is worth ({', '.join(classes)}), found none"
            )
        return dict(zip(classes, gains, strict=True))
