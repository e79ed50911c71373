"""Which rows of a shop are train, dev and test: decided once, used by pretraining text and by every task."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from shopguide.records.splits import Fold, Fractions, folded, normalised, split_by_group, split_by_user_and_time
from shopguide.records.tables import Shop, column


@dataclass(frozen=True)
class Partition:
    """A split's name for each row of each table; `aside` for rows that would leak in time, or by their query."""

    products: np.ndarray
    behaviours: np.ndarray
    judgements: np.ndarray
    dialogues: np.ndarray
    pairs: np.ndarray
    annotations: np.ndarray


def partition(shop: Shop, by: str, fractions: Fractions, seed: int, fold: Fold | None = None) -> Partition:
    """Products by title, behaviours by user and time (or by query; without one, by user), judgements by
    query; others by their (first) text. Folds have equally many products of each category, and so for the intents of
    dialogues and the labels of pairs.

    Where a table's rows bring held-out splits of their own (a public set's), those stand; but no query is judged on
    both sides: training rows of a held-out query are set aside. Of a table with splits of its own, what is folded are
    the rows that it does not hold out: its test rows stay test, its dev rows where it has no other.
    """
    behaviours = shop.behaviours
    drawing = _Drawing(fractions, seed, fold)
    asked = _asked(behaviours)
    if by == "user_time" and len(behaviours):
        drawn = split_by_user_and_time(
            column(behaviours, "user_id"),
            column(behaviours, "timestamp"),
            asked,
            seed=seed,
            fractions=fractions,
            fold=fold,
        )
        rows = _official(behaviours, drawn, asked, drawing)
    else:
        rows = _official(behaviours, drawing.of(asked), asked, drawing)
    return Partition(
        products=_grouped(shop.products, "title", drawing, "category"),
        behaviours=rows,
        judgements=_apart(shop.judgements, _grouped(shop.judgements, "query", drawing)),
        dialogues=_grouped(shop.dialogues, "question", drawing, "intent"),
        pairs=_grouped(shop.pairs, "text", drawing, "label"),
        annotations=_grouped(shop.annotations, "text", drawing),
    )


@dataclass(frozen=True)
class _Drawing:
    fractions: Fractions
    seed: int
    fold: Fold | None

    def of(self, groups: list[str], labels: list[str | None] | None = None) -> np.ndarray:
        """The splits that are drawn for groups."""
        return split_by_group(groups, seed=self.seed, fractions=self.fractions, fold=self.fold, labels=labels)


def _asked(behaviours: Any) -> list[str]:
    """What keeps behaviours together: the query; without one, the shopper; without one, nothing."""
    columns = (column(behaviours, "query"), column(behaviours, "user_id"))
    return [
        normalised(query) if query else f"user {user}" if user else f"row {row}"
        for row, (query, user) in enumerate(zip(*columns, strict=True))
    ]


def _grouped(table: Any, field: str, drawing: _Drawing, label: str | None = None) -> np.ndarray:
    groups = _normalised(column(table, field))
    labels = None if label is None or drawing.fold is None else column(table, label)
    return _official(table, drawing.of(groups, labels), groups, drawing, labels)


def _normalised(texts: list[str]) -> list[str]:
    """Each text once in memory, however many rows have it."""
    known = {text: normalised(text) for text in set(texts)}
    return [known[text] for text in texts]


def _apart(judgements: Any, split: np.ndarray) -> np.ndarray:
    """Without the training rows of held-out queries, nor the dev rows of test queries."""
    kept = split.astype(object)
    queries = np.array(_normalised(column(judgements, "query")), dtype=object)
    for number, name in enumerate(("train", "dev")):
        held_out = set(queries[np.isin(split, ("dev", "test")[number:])])
        kept[(split == name) & np.array([query in held_out for query in queries], dtype=bool)] = "aside"
    return kept.astype(str)


def _official(
    table: Any, drawn: np.ndarray, groups: list[str], drawing: _Drawing, labels: list[str | None] | None = None
) -> np.ndarray:
    """The rows' own splits where a table has held-out ones; else the drawn ones.

    Where it has test rows but no dev rows, the drawn dev groups of its training rows are dev.
    """
    own = column(table, "split")
    if not {"dev", "test"} & set(own):
        return drawn
    given = np.array([split or "train" for split in own])
    if drawing.fold is not None:
        return folded(given == ("test" if "test" in own else "dev"), groups, drawing.seed, drawing.fold, labels)
    return given if "dev" in own else np.where((given == "train") & (drawn == "dev"), "dev", given)
