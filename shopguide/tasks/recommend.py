"""recommend: what a shopper has viewed and bought (and asks for) → the product that comes next."""

from collections.abc import Iterator

from pydantic import Field
from pydantic.dataclasses import dataclass

from shopguide.records.partition import Partition
from shopguide.records.tables import Shop, column, rows_of
from shopguide.tasks.history import History, after_held_out, histories, in_words
from shopguide.tasks.task import OPTIONS, Catalogue, Examples, Kind, Task, Truth
from shopguide.text.inputs import InputSpec

Step = tuple[History, list[str]]
"""What is known, and what comes next."""


@dataclass(config=OPTIONS, kw_only=True)
class Recommend(Task):
    """Behaviours: what was bought comes after what was viewed in the session, and bought in earlier ones. Where nothing
    was bought, the last one viewed comes after those before it.

    What a shopper has viewed or bought before is not recommended again. Of the viewed products that are read, none was
    then bought: the answer would stand in the question. Training rows that follow a held-out row of the same shopper,
    and so know of it, are left out.
    """

    fields: tuple[str, ...] = ("title",)
    """What is read of a product, in the history, where the most recent ones come first, as in the catalogue."""
    steps: int = Field(default=1, ge=1)
    """Of a training row, how many of the latest products are learnt as what comes next, each after those before it.
    More than one where the viewed items stand in their order."""

    @property
    def kind(self) -> Kind:
        """Retrieval."""
        return "retrieval"

    @property
    def inputs(self) -> InputSpec:
        """The query, if there is one, and the history; a product's own words."""
        return InputSpec(("query", "viewed", "purchased"), tuple(self.fields))

    @property
    def wants(self) -> str:
        """Behaviours with products, of which one is told from the others."""
        return "It needs behaviours with purchased_items or several viewed_items, and products."

    def examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """One example a behaviour; of training rows, up to `steps`."""
        texts = self.shown(shop)
        words = dict(zip(column(shop.products, "item_id"), texts, strict=True))
        found = Examples(wanted=[], history=[], catalogue=Catalogue([*words], texts))
        assert found.wanted is not None
        assert found.history is not None
        too_late = after_held_out(shop, parts.behaviours)
        for row, (behaviour, before) in enumerate(zip(rows_of(shop.behaviours), histories(shop), strict=True)):
            split = str(parts.behaviours[row])
            if split == "aside" or row in too_late:
                continue
            steps = list(self._steps(before, [item for item in behaviour["purchased_items"] if item in words]))
            for known, following in steps if split == "train" else steps[:1]:
                text = self.inputs.render({"query": behaviour["query"], **in_words(known, words)})[0]
                if text:
                    found.first.append(text)
                    found.wanted.append(dict.fromkeys(following, 1.0))
                    found.history.append(known["viewed"] + known["purchased"])
                    found.split.append(split)
                    found.groups.append(behaviour["user_id"] or f"behaviour {row}")
        return found

    def _steps(self, before: History, bought: list[str]) -> Iterator[Step]:
        """The latest first; what the shopper has bought before comes next for nobody."""
        new = [item for item in bought if item not in before["purchased"]]
        viewed = [item for item in before["viewed"] if item not in bought]
        if new:
            yield {**before, "viewed": viewed}, new
        for number in range(min(len(viewed) - 1, self.steps - bool(new))):
            earlier = [item for item in viewed[number + 1 :] if item != viewed[number]]
            if viewed[number] not in before["purchased"]:
                yield {**before, "viewed": earlier}, [viewed[number]]
