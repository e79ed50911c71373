"""spans: a query, title or message → its marked stretches, each with a label: brand, product, colour, …"""

from pydantic.dataclasses import dataclass

from shopguide.records.partition import Partition
from shopguide.records.splits import normalised
from shopguide.records.tables import Shop, rows_of
from shopguide.tasks.task import OPTIONS, Examples, Kind, Task, Truth
from shopguide.text.inputs import InputSpec
from shopguide.text.tags import Span


@dataclass(config=OPTIONS, kw_only=True)
class Spans(Task):
    """Annotations: texts with spans."""

    @property
    def kind(self) -> Kind:
        """What is answered."""
        return "tagging"

    @property
    def inputs(self) -> InputSpec:
        """The text alone, as it is."""
        return InputSpec(("text",))

    @property
    def wants(self) -> str:
        """Annotations."""
        return "It needs annotations (text, spans)."

    def examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """One example an annotated text, those without any span too."""
        marked: list[list[Span] | None] = []
        found = Examples(spans=marked)
        for row, annotation in enumerate(rows_of(shop.annotations)):
            found.first.append(annotation["text"])
            marked.append([Span(mark["start"], mark["end"], mark["label"]) for mark in annotation["spans"]])
            found.split.append(str(parts.annotations[row]))
            found.groups.append(normalised(annotation["text"]))
        return found
