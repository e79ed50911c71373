"""evidence: a question on a product + a piece of what is known of it → whether that answers the question."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from shopguide.errors import DataError
from shopguide.records.partition import Partition
from shopguide.records.splits import normalised
from shopguide.records.tables import Shop, attributes_of, column
from shopguide.tasks.passages import Passage, passages
from shopguide.tasks.task import OPTIONS, Examples, Task, Truth
from shopguide.text.inputs import InputSpec
from shopguide.text.words import terms

TARGET, NO, YES = "answers", "0", "1"
TOLD, UNTOLD = 0.5, 0.2
"""Of an answer's words, each by its rarity, the share in a piece that holds the answer, and in one that does not;
between them nobody can tell.
"""
OF_NONE = 2
"""Pieces of any product, for a message that is on none: no piece answers it."""
Pair = tuple[str, str, str, str]
"""Question, piece, label, split."""


@dataclass(config=OPTIONS, kw_only=True)
class Evidence(Task):
    """Pairs of a question and a piece: of dialogues on products where the shop has some, else judged ones (labels 0 and
    1, the piece as the product's title).

    Of a dialogue, which piece the answer came from is taken to be the one in which its words stand (distant
    supervision, Mintz et al. 2009): not those of the question, and each by its rarity among the answers.
    """

    negatives: int = Field(default=4, ge=1)
    """Pieces of the same product that do not answer a question, drawn."""

    @property
    def counted(self) -> str:
        """What answers."""
        return YES

    @property
    def inputs(self) -> InputSpec:
        """The question, and the piece."""
        return InputSpec(("question",), ("evidence",))

    @property
    def wants(self) -> str:
        """Dialogues on products, or judgements."""
        return (
            "It needs products and dialogues on them (question, answer, item_id) whose answers stand in what is known "
            "of the product, or judgements with the labels 0 and 1."
        )

    def examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """One example a question and a piece.

        Raises:
            DataError: a judgement has another label.
        """
        found = Examples(second=[], labels={TARGET: []})
        assert found.second is not None
        talked = any(item and answer for item, answer in zip(*_columns(shop, "item_id", "answer"), strict=True))
        for question, piece, label, split in (self._asked if talked else self._judged)(shop, parts):
            found.first.append(question)
            found.second.append(piece)
            found.labels[TARGET].append(label)
            found.split.append(split)
            found.groups.append(normalised(question))
        return found

    def _asked(self, shop: Shop, parts: Partition) -> Iterator[Pair]:
        place = {item: row for row, item in enumerate(column(shop.products, "item_id"))}
        rows = list(zip(*_columns(shop, "question", "answer", "item_id"), strict=True))
        rarity = Rarity([answer for _, answer, item in rows if answer and item])
        for row, (question, answer, item) in enumerate(rows):
            draw = np.random.Generator(np.random.Philox(key=row))
            if item and not answer:
                continue
            own = place[item] if item else int(draw.integers(len(place)))
            product = shop.products[own]
            pieces = passages({**product, "attributes": attributes_of(product)})
            if not pieces:
                continue
            shares = rarity.shares(answer, question, pieces) if item else np.zeros(len(pieces))
            if shares is None or (item and shares.max() < TOLD):
                continue
            wrong = draw.permutation(np.flatnonzero(shares < UNTOLD))[: self.negatives if item else OF_NONE]
            for number in sorted([*np.flatnonzero(shares >= TOLD), *wrong]):
                label = YES if shares[number] >= TOLD else NO
                yield question, pieces[number].read, label, str(parts.dialogues[row])

    def _judged(self, shop: Shop, parts: Partition) -> Iterator[Pair]:
        titles = dict(zip(column(shop.products, "item_id"), column(shop.products, "title"), strict=True))
        columns = (column(shop.judgements, name) for name in ("query", "item_id", "label"))
        for row, (question, item, label) in enumerate(zip(*columns, strict=True)):
            split = str(parts.judgements[row])
            if label not in (NO, YES):
                raise DataError(f"task `{self.name}`: expected judgements labelled 0 or 1, found {label}. {self.wants}")
            if split != "aside":
                yield question, titles[item], label, split


class Rarity:
    """How rare words are among answers (BM25's idf)."""

    def __init__(self, answers: Sequence[str]) -> None:
        self._count = len(answers)
        self._with = Counter(term for answer in answers for term in {*terms(answer)})

    def shares(self, answer: str, question: str, pieces: Sequence[Passage]) -> np.ndarray | None:
        """(P,) of the answer's words that the question does not have, the share that stands in each piece; None: it has
        no such words.
        """
        own = [term for term in {*terms(answer)} - {*terms(question)} if term[0].isalnum()]
        weights = np.array([self._of(term) for term in own])
        if not weights.sum():
            return None
        told = [{*terms(piece.read)} for piece in pieces]
        found: np.ndarray = np.array([[term in there for term in own] for there in told]) @ weights / weights.sum()
        return found

    def _of(self, term: str) -> float:
        count = self._with[term]
        return math.log(1 + (self._count - count + 0.5) / (count + 0.5))


def _columns(shop: Shop, *names: str) -> list[list[str | None]]:
    return [column(shop.dialogues, name) for name in names]
