"""The hidden truth of a generated shop: what a perfect reader would answer, task by task. It gives the ceiling."""

import json
from pathlib import Path
from typing import Any


class Truth:
    """Best guesses by behaviour and dialogue (row numbers) and product."""

    def __init__(
        self, behaviours: list[dict[str, Any]], products: dict[str, dict[str, Any]], dialogues: list[dict[str, Any]]
    ) -> None:
        self._behaviours, self._products, self._dialogues = behaviours, products, dialogues

    @classmethod
    def load(cls, folder: Path) -> "Truth":
        """Read the truth of a generated shop."""
        products = {row["item_id"]: row for row in _rows(folder / "truth" / "products.jsonl")}
        behaviours, dialogues = (_rows(folder / "truth" / f"{name}.jsonl") for name in ("behaviours", "dialogues"))
        return cls(behaviours, products, dialogues)

    def need(self, behaviour: int) -> str:
        """The most likely category given the words that the shopper chose (before slips of typing)."""
        return str(self._behaviours[behaviour]["best"])

    def intent(self, dialogue: int) -> str:
        """The first intent with which the message's words are said."""
        return str(self._dialogues[dialogue]["intent"])

    def features(self, item_id: str) -> dict[str, str]:
        """Target → what the product's text tells; what it does not tell, the most likely value."""
        return dict(self._products[item_id]["best"])

    def relevance(self, behaviour: int, item_id: str) -> int:
        """2 where the product meets all that the query asks for, 1 where it is of the wanted category, else 0."""
        wanted, true = self._behaviours[behaviour], self._products[item_id]["true"]
        if true["category"] != wanted["need"]:
            return 0
        asked = wanted["wanted"]
        return 2 if asked and all(true[name] == value for name, value in asked.items()) else 1


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
