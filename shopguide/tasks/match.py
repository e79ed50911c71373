"""match: two texts → whether they mean the same: two offers one product, two questions one matter."""

from pydantic.dataclasses import dataclass

from shopguide.records.partition import Partition
from shopguide.records.splits import normalised
from shopguide.records.tables import Shop, rows_of
from shopguide.tasks.task import OPTIONS, Examples, Task, Truth
from shopguide.text.inputs import InputSpec

TARGET = "same"


@dataclass(config=OPTIONS, kw_only=True)
class Match(Task):
    """Pairs of texts with a label."""

    positive: str = "1"
    """The label of texts that mean the same, of which precision, recall and F1 are told."""

    @property
    def counted(self) -> str:
        """The positive label."""
        return self.positive

    @property
    def inputs(self) -> InputSpec:
        """Both texts."""
        return InputSpec(("text",), ("text_pair",))

    @property
    def wants(self) -> str:
        """Pairs."""
        return "It needs pairs (text, text_pair, label)."

    def examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """One example a pair."""
        found = Examples(second=[], labels={TARGET: []})
        assert found.second is not None
        for row, pair in enumerate(rows_of(shop.pairs)):
            found.first.append(pair["text"])
            found.second.append(pair["text_pair"])
            found.labels[TARGET].append(pair["label"])
            found.split.append(str(parts.pairs[row]))
            found.groups.append(normalised(pair["text"]))
        return found
