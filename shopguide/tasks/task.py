"""What every task gives: labelled examples, split without leaks, and how a record is read.

A new task is one file with a subclass of `Task` and one YAML under `conf/tasks/`.
"""

from abc import ABC, abstractmethod
from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass as checked_dataclass

from shopguide.errors import DataError
from shopguide.records.partition import Partition
from shopguide.records.tables import Shop, rows_of
from shopguide.tasks.coded import Coded
from shopguide.text.inputs import InputSpec
from shopguide.text.tags import Span

OPTIONS = ConfigDict(extra="forbid")
OTHERS = " Choose other tasks with tasks=[…]."
"""What mends records without labels of a task."""
MINIMUM_TRAIN = 8
Kind = Literal["classification", "multilabel", "tagging", "extraction", "retrieval"]
"""What is answered: a class of each target; several labels; labelled stretches of a text; the value of an attribute;
products of the catalogue."""


class Truth(Protocol):
    """What a generated shop knows of itself: the best guess of a perfect reader."""

    def need(self, behaviour: int) -> str:
        """Category behind the query of a behaviour."""

    def intent(self, dialogue: int) -> str:
        """Intent of a message to the service."""

    def features(self, item_id: str) -> dict[str, str]:
        """Category and attributes of a product."""

    def relevance(self, behaviour: int, item_id: str) -> int:
        """Grade of a product for the need behind a behaviour."""


@dataclass(frozen=True)
class Catalogue:
    """The products among which is searched."""

    ids: Sequence[str]
    texts: Sequence[str]
    """As they are read."""

    def __len__(self) -> int:
        return len(self.ids)


@dataclass
class Examples:
    """Labelled examples of one task, as columns of equal length N; of very many, `Coded` ones."""

    first: MutableSequence[str] = field(default_factory=list)
    second: MutableSequence[str] | None = None
    labels: dict[str, MutableSequence[str | None]] = field(default_factory=dict)
    """Target → N labels; None where the record does not say."""
    split: MutableSequence[str] = field(default_factory=list)
    groups: MutableSequence[str] = field(default_factory=list)
    """What is resampled together for intervals: a query, a user, a title."""
    lists: MutableSequence[str] | None = None
    """Of ranking: which products are ranked beside each other, those of a query or of a session."""
    spans: list[list[Span] | None] | None = None
    """Of tagging and extraction: what is marked in the text (of a pair, in the second one); None: not known where."""
    values: list[list[str]] | None = None
    """Of extraction: the values, each right; empty where the text does not say. Of multilabel: the labels."""
    wanted: list[dict[str, float]] | None = None
    """Of retrieval: what the judged products of each example are worth, by item_id."""
    history: list[list[str]] | None = None
    """Of recommendation: the item_ids of what each shopper has viewed and bought before."""
    catalogue: Catalogue | None = None
    """Of retrieval: every product of the shop, whatever split its own row is of."""
    best: dict[str, list[str]] | None = None
    """Target → the labels that a perfect reader would give, where the shop's hidden truth is known."""

    def __len__(self) -> int:
        return len(self.first)

    def take(self, rows: np.ndarray) -> "Examples":
        """The examples at these row numbers, in that order."""

        def pick(column: MutableSequence[Any]) -> Any:
            return column.take(rows) if isinstance(column, Coded) else [column[i] for i in rows]

        return Examples(
            first=pick(self.first),
            second=None if self.second is None else pick(self.second),
            labels={target: pick(column) for target, column in self.labels.items()},
            split=pick(self.split),
            groups=pick(self.groups),
            lists=None if self.lists is None else pick(self.lists),
            spans=None if self.spans is None else pick(self.spans),
            values=None if self.values is None else pick(self.values),
            wanted=None if self.wanted is None else pick(self.wanted),
            history=None if self.history is None else pick(self.history),
            catalogue=self.catalogue,
            best=None if self.best is None else {target: pick(column) for target, column in self.best.items()},
        )

    def said(self, target: str) -> list[str]:
        """Every label of a target that is told; of marked or several labels, which are one target, those of all."""
        if target in self.labels:
            return [label for label in self.labels[target] if label]
        if self.spans is not None:
            return [span.label for spans in self.spans for span in spans or ()]
        return [label for labels in self.values or () for label in labels]

    def of(self, split: str) -> "Examples":
        """The examples of one split (`all`: every example)."""
        if split == "all":
            return self.take(np.arange(len(self)))
        if isinstance(self.split, Coded):
            return self.take(self.split.rows_of(split))
        return self.take(np.array([i for i, own in enumerate(self.split) if own == split], dtype=int))


@checked_dataclass(config=OPTIONS, kw_only=True)
class Task(ABC):
    """A labelled question that a model learns to answer about records."""

    name: str

    @property
    def kind(self) -> Kind:
        """What is answered."""
        return "classification"

    @property
    def counted(self) -> str | None:
        """The one class of two whose precision, recall and F1 are told; None: all alike."""
        return None

    @property
    @abstractmethod
    def inputs(self) -> InputSpec:
        """Which fields of a record the model reads."""

    def shown(self, shop: Shop) -> list[str]:
        """Of a task on products: each as it is read, in their order."""
        return [self.inputs.render({**product, "query": ""})[1] or "" for product in rows_of(shop.products)]

    @abstractmethod
    def examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """Every labelled example of the shop, each with its split."""

    def checked_examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """The examples, enough to train on.

        Raises:
            DataError: the shop's records do not carry this task's labels.
        """
        examples = self.examples(shop, parts, truth)
        train = examples.split.count("train")
        if train < MINIMUM_TRAIN:
            raise DataError(
                f"task `{self.name}`: expected at least {MINIMUM_TRAIN} labelled training examples, found {train} "
                f"({len(examples)} in all splits). {self.wants}{OTHERS}"
            )
        for target, column in examples.of("train").labels.items():
            classes = {label for label in column if label}
            if len(classes) < 2:
                raise DataError(
                    f"task `{self.name}`, target `{target}`: expected at least two classes among {train} training "
                    f"examples, found {sorted(classes) or 'none'}. Name other targets (data.targets=[…]) or tasks."
                )
        if self.kind == "multilabel" and not any(examples.of("train").values or ()):
            raise DataError(
                f"task `{self.name}`: expected labels among {train} training examples, found none. {self.wants}"
            )
        if examples.wanted is not None and not any(any(own.values()) for own in examples.of("train").wanted or ()):
            raise DataError(
                f"task `{self.name}`: expected products that are worth something among {train} training examples, "
                f"found none. {self.wants}"
            )
        if examples.spans is not None and not any(examples.of("train").spans or ()):
            raise DataError(
                f"task `{self.name}`: expected marked text among {train} training examples, found none. {self.wants}"
            )
        return examples

    def graded(self, classes: Sequence[str]) -> list[float] | None:
        """What a product of each class is worth in a ranking; None: the classes are in no order."""
        return None

    @property
    @abstractmethod
    def wants(self) -> str:
        """One sentence: the records that this task learns from."""


def category_prefix(category: str, depth: int | None) -> str:
    """The first `depth` levels of a category path `a/b/c`; None: the whole path."""
    return category if depth is None else "/".join(category.split("/")[:depth])
