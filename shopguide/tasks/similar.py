"""similar: a text → the texts that mean the same: other shops' offers of a product, earlier questions of one matter."""

from pydantic.dataclasses import dataclass

from shopguide.records.partition import Partition
from shopguide.records.splits import normalised
from shopguide.records.tables import Shop, rows_of
from shopguide.tasks.task import OPTIONS, Catalogue, Examples, Kind, Task, Truth
from shopguide.text.inputs import InputSpec


@dataclass(config=OPTIONS, kw_only=True)
class Similar(Task):
    """The texts of pairs that mean the same, found among the second texts of all pairs."""

    positive: str = "1"
    """The label of texts that mean the same."""
    fields: tuple[str, ...] = ("title",)
    """What is read of a product, where products are indexed in place of the pairs' texts."""

    @property
    def kind(self) -> Kind:
        """Retrieval."""
        return "retrieval"

    @property
    def inputs(self) -> InputSpec:
        """A text; a product's own words."""
        return InputSpec(("text",), tuple(self.fields))

    @property
    def wants(self) -> str:
        """Pairs that mean the same."""
        return f"It needs pairs (text, text_pair, label) with the label {self.positive}."

    def examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """One example a text of a split that means the same as another one; each text is its own id."""
        texts = list(dict.fromkeys(pair["text_pair"] for pair in rows_of(shop.pairs)))
        found = Examples(wanted=[], catalogue=Catalogue(texts, texts))
        assert found.wanted is not None
        place: dict[tuple[str, str], int] = {}
        for row, pair in enumerate(rows_of(shop.pairs)):
            if pair["label"] != self.positive:
                continue
            key = pair["text"], str(parts.pairs[row])
            if key not in place:
                place[key] = len(place)
                found.first.append(key[0])
                found.split.append(key[1])
                found.groups.append(normalised(key[0]))
                found.wanted.append({})
            found.wanted[place[key]][pair["text_pair"]] = 1.0
        return found
