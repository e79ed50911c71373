"""A bi-encoder in torch: texts as vectors, and the nearest products of its catalogue.

Shapes: N texts, D width, K products.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from shopguide.errors import ModelError
from shopguide.inference.answers import BATCH_TOKENS, Answer, Answerer, told
from shopguide.inference.network import Network
from shopguide.inference.retrieval import Found, without
from shopguide.inference.vectors import Vectors
from shopguide.models.backbone import Head
from shopguide.records.formats import listed
from shopguide.tasks.history import REMEMBERED
from shopguide.tasks.task import Catalogue

HISTORY = {"viewed": "viewed_items", "purchased": "purchased_items"}
"""What is read of a history → the field of item_ids that it stands for."""
ANSWERED = 10
"""Products of an answer."""


class Encoder(Network, Answerer):
    """One network for queries and products."""

    head: ClassVar[Head] = "encoder"
    catalogue: Vectors | None = None

    def load_more(self, folder: Path) -> None:
        """The catalogue that it was trained on."""
        self.catalogue = Vectors.load(folder)

    def save(self, folder: str | Path) -> None:
        """Write a Hugging Face folder, with the catalogue's vectors, that `load` reads."""
        super().save(folder)
        if self.catalogue is not None:
            self.catalogue.save(Path(folder))

    @property
    def width(self) -> int:
        """D."""
        config: Any = self.model.config
        return int(config.hidden_size)

    def vectors(self, texts: list[str], batch_tokens: int = BATCH_TOKENS) -> np.ndarray:
        """(N, D) of unit length."""
        states = self.embed(texts, batch_tokens=batch_tokens)
        found: np.ndarray = states / np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-12)
        return found

    def index(self, catalogue: Catalogue, batch_tokens: int = BATCH_TOKENS) -> Vectors:
        """The catalogue as vectors, in which the model searches from then on."""
        self.catalogue = Vectors(catalogue, self.vectors(list(catalogue.texts), batch_tokens))
        return self.catalogue

    def answers(self, first: list[str], second: list[str] | None, *, batch_tokens: int) -> Iterator[Answer]:
        """`items`: the nearest products, as they are read, and their cosines, the nearest first.

        Raises:
            ModelError: there is no catalogue beside the model.
        """
        if self.catalogue is None:
            raise ModelError(f"task `{self.card.task}`: expected the catalogue's vectors beside the model, found none")
        rows, scores = self.found(first, ANSWERED, batch_tokens)
        for own, cosines in zip(rows, scores, strict=True):
            told = zip(own, cosines, strict=True)
            yield {"items": [self._told(int(row), score) for row, score in told if row >= 0]}

    def found(self, texts: list[str], count: int, batch_tokens: int = BATCH_TOKENS) -> Found:
        """The nearest products of the catalogue, at most `count`; what a history holds is not recommended again."""
        assert self.catalogue is not None
        queries, products = self.vectors(texts, batch_tokens), self.catalogue.products.texts
        if not self._reads_history:
            return self.catalogue.nearest(queries, count)
        near = self.catalogue.nearest(queries, count + 2 * REMEMBERED)
        known = [
            {row for row in own.tolist() if products[row] and products[row] in text}
            for own, text in zip(near[0], texts, strict=True)
        ]
        return without(near, known, count)

    @property
    def _reads_history(self) -> bool:
        return not HISTORY.keys().isdisjoint(self.card.inputs.first)

    def _texts(self, record: Mapping[str, Any], number: int) -> tuple[str, str | None]:
        """Of a history that is given by `viewed_items` and `purchased_items`, what the catalogue calls them."""
        if self.catalogue is None or not self._reads_history:
            return super()._texts(record, number)
        words = self.catalogue.words
        named = {
            kind: [words[item] for item in reversed(listed(record[name])) if item in words]
            for kind, name in HISTORY.items()
            if record.get(name) and not record.get(kind)
        }
        return super()._texts({**record, **named}, number)

    def _told(self, row: int, score: float) -> Answer:
        assert self.catalogue is not None
        products = self.catalogue.products
        return {"item_id": products.ids[row], "text": products.texts[row], "score": told(score)}
