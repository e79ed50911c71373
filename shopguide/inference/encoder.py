"""A bi-encoder in torch: texts as vectors, and the nearest products of its catalogue.

Shapes: N texts, D width, K products.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from shopguide.errors import DataError, ModelError
from shopguide.inference.answers import BATCH_TOKENS, CHUNK, Answer, Answerer, told
from shopguide.inference.network import Network
from shopguide.inference.retrieval import Found, without
from shopguide.inference.saved_model import WEIGHTS
from shopguide.inference.second_stage import DEPTH, SecondStage
from shopguide.inference.vectors import Vectors
from shopguide.models.backbone import Head
from shopguide.models.item_vectors import NAME, item_vectors, saved_item_vectors
from shopguide.records.formats import listed
from shopguide.records.schema import BadValueError, texts
from shopguide.tasks.history import REMEMBERED
from shopguide.tasks.task import Catalogue

HISTORY = {"viewed": "viewed_items", "purchased": "purchased_items"}
"""What is read of a history → the field of item_ids that it stands for."""
SHOWN_IDS = 5
ANSWERED = 10
"""Products of an answer."""


def _ids(value: Any, name: str, number: int) -> list[str]:
    """The item_ids of a record's list, the latest first.

    Raises:
        DataError: it is no list of them.
    """
    try:
        return texts(listed(value or []))[::-1]
    except (BadValueError, TypeError, ValueError) as error:
        shown = repr(value)[:60]
        raise DataError(f"record {number}: {name}: expected a list of item_ids, found {shown}") from error


class Encoder(Network, Answerer):
    """One network for queries and products."""

    head: ClassVar[Head] = "encoder"
    catalogue: Vectors | None = None
    second_stage: SecondStage | None = None
    """What orders the nearest products anew."""

    items: dict[str, int] | None = None
    """item_id → row of the vectors that products have of their own."""

    def load_more(self, folder: Path) -> None:
        """The catalogue that it was trained on, and the vectors that its products have of their own."""
        self.catalogue = Vectors.load(folder)
        if self.catalogue is not None and (own := saved_item_vectors(folder / WEIGHTS)) is not None:
            self.model.add_module(NAME, own.to(self.device))
            self.items = self.catalogue.place

    def save(self, folder: str | Path) -> None:
        """Write a Hugging Face folder, with the catalogue's vectors, that `load` reads.

        Raises:
            ModelError: products have vectors of their own, and the catalogue is another one since.
        """
        if self.items is not None and self.catalogue is not None and self.items != self.catalogue.place:
            raise ModelError(
                f"task `{self.card.task}`: expected the catalogue that its products' vectors are of, found another; "
                "an index of it is made by python -m shopguide.index"
            )
        super().save(folder)
        if self.catalogue is not None:
            self.catalogue.save(Path(folder))

    @property
    def width(self) -> int:
        """D."""
        config: Any = self.model.config
        return int(config.hidden_size)

    def vectors(self, texts: Sequence[str], batch_tokens: int = BATCH_TOKENS) -> np.ndarray:
        """(N, D) of unit length."""
        states = self.embed(texts, batch_tokens=batch_tokens)
        found: np.ndarray = states / np.maximum(np.linalg.norm(states, axis=1, keepdims=True), 1e-12)
        return found

    def index(self, catalogue: Catalogue, batch_tokens: int = BATCH_TOKENS) -> Vectors:
        """The catalogue as vectors, in which the model searches from then on."""
        if self.items is None and item_vectors(self.model) is not None:  # just trained, on this catalogue
            self.items = {item: row for row, item in enumerate(catalogue.ids)}
        found = self.products(list(catalogue.ids), list(catalogue.texts), batch_tokens)
        self.catalogue = Vectors(catalogue, found)
        return self.catalogue

    def products(self, ids: list[str], texts: Sequence[str], batch_tokens: int = BATCH_TOKENS) -> np.ndarray:
        """(N, D) of unit length: as `vectors`, with what products have of their own."""
        found, own = self.vectors(texts, batch_tokens), item_vectors(self.model)
        if own is None or self.items is None:
            return found
        known = [place for place, item in enumerate(ids) if item in self.items]
        rows = torch.tensor([self.items[ids[place]] for place in known], dtype=torch.long, device=self.device)
        with torch.inference_mode():
            found[known] = own(torch.from_numpy(found[known]).to(self.device), rows).cpu().numpy()
        return found

    def answers(self, first: Sequence[str], second: Sequence[str] | None, *, batch_tokens: int) -> Iterator[Answer]:
        """`items`: the nearest products, as they are read, and their cosines (expected gains, as shares of the greatest
        one, where there is a second stage), the nearest first.

        Raises:
            ModelError: there is no catalogue beside the model.
        """
        if self.catalogue is None:
            raise ModelError(
                f"task `{self.card.task}`: expected the catalogue's vectors beside the model, found none; "
                "make them with python -m shopguide.index, and add index=…"
            )
        yield from self._told_of(self.found(first, ANSWERED, batch_tokens))

    def predict(self, records: Iterable[Mapping[str, Any]], *, batch_tokens: int = BATCH_TOKENS) -> Iterator[Answer]:
        """As `Answerer.predict`; what a history holds is not recommended again.

        Raises:
            DataError: a record has none of the fields that the model reads, or no list of item_ids where it should.
        """
        if self.catalogue is None or not self._reads_history:
            yield from super().predict(records, batch_tokens=batch_tokens)
            return
        stream, number, unknown = iter(records), 0, 0
        while chunk := list(islice(stream, CHUNK)):
            named = [self._named(record, number + place) for place, record in enumerate(chunk, 1)]
            texts = [self._text_of(record, strange, number + i) for i, (record, _, strange) in enumerate(named, 1)]
            number += len(chunk)
            unknown += sum(len(strange) for _, _, strange in named)
            yield from self._told_of(self.found(texts, ANSWERED, batch_tokens, [known for _, known, _ in named]))
        if unknown:
            print(f"{unknown:,} item_ids of histories are not in this catalogue: left out", file=sys.stderr)

    def _text_of(self, record: Mapping[str, Any], strange: Sequence[str], number: int) -> str:
        try:
            return self._texts(record, number)[0]
        except DataError as error:
            if not strange:
                raise
            shown = ", ".join(strange[:SHOWN_IDS])
            raise DataError(
                f"record {number}: expected products of this catalogue, found unknown ones: {shown}"
            ) from error

    def _told_of(self, found: Found) -> Iterator[Answer]:
        for own, cosines in zip(*found, strict=True):
            told = zip(own, cosines, strict=True)
            yield {"items": [self._told(int(row), score) for row, score in told if row >= 0]}

    def found(
        self,
        texts: Sequence[str],
        count: int,
        batch_tokens: int = BATCH_TOKENS,
        left_out: Sequence[set[int]] | None = None,
    ) -> Found:
        """The nearest products of the catalogue, at most `count` of each text, but for the rows that it leaves out.

        With a second stage, the first ones of those that it reads, and their expected gains.
        """
        assert self.catalogue is not None
        wanted = min(max(count, DEPTH) if self.second_stage else count, len(self.catalogue.products))
        deeper = max(map(len, left_out or ()), default=0)
        near = self.catalogue.nearest(self.vectors(texts, batch_tokens), wanted + deeper)
        near = near if left_out is None else without(near, left_out, wanted)
        if self.second_stage is None:
            return near
        rows, gains = self.second_stage.ordered(texts, self.catalogue.products.texts, near, batch_tokens)
        return rows[:, :count], gains[:, :count]

    @property
    def _reads_history(self) -> bool:
        return not HISTORY.keys().isdisjoint(self.card.inputs.first)

    def _named(self, record: Mapping[str, Any], number: int) -> tuple[Mapping[str, Any], set[int], list[str]]:
        """A record whose history is in the catalogue's words, the rows of the products that it holds, and the item_ids
        that are not in the catalogue.
        """
        assert self.catalogue is not None
        place, called = self.catalogue.place, self.catalogue.products.texts
        known: set[int] = set()
        named: dict[str, list[str]] = {}
        strange: list[str] = []
        for kind, name in HISTORY.items():
            items = _ids(record.get(name), name, number)
            rows = [place[item] for item in items if item in place]
            strange += [item for item in items if item not in place]
            known.update(rows)
            if record.get(kind):
                said = record[kind] if isinstance(record[kind], list | tuple) else [record[kind]]
                known.update(row for text in said for row in self.catalogue.called(str(text)))
            else:
                named[kind] = [called[row] for row in rows[:REMEMBERED]]
        return {**record, **named}, known, strange

    def _told(self, row: int, score: float) -> Answer:
        assert self.catalogue is not None
        products = self.catalogue.products
        return {"item_id": products.ids[row], "text": products.texts[row], "score": told(score)}
