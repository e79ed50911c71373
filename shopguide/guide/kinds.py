"""Which kind of product a shopper wants, by a model of the task `need`, and how well products are of that kind.

Shapes: N queries, C kinds, M products, K candidates.
"""

from collections.abc import Sequence

import numpy as np

from shopguide.guide.results import Share
from shopguide.guide.shelf import Shelf
from shopguide.inference.answers import Classifier

TOLD = 5
"""Classes of a posterior that are told."""


class Kinds:
    """The classes of a model of need, and which of them each product is of.

    Args:
        model: its classes are categories of the shelf, or first levels of them.
        shelf: M products.
    """

    def __init__(self, model: Classifier, shelf: Shelf) -> None:
        self._model, self._titles = model, shelf.titles
        self._target, self._classes = next(iter(model.card.targets.items()))
        number = {name: place for place, name in enumerate(self._classes)}
        known = {category: _class_of(category, number) for category in {*shelf.categories}}
        self._kind = np.array([known[category] for category in shelf.categories])

    def posterior(
        self, queries: Sequence[str], viewed: Sequence[Sequence[int]], purchased: Sequence[Sequence[int]]
    ) -> np.ndarray:
        """(N, C) probabilities.

        Args:
            queries: N texts.
            viewed: of each shopper, rows of products, the latest first; read by a model that was trained with them.
            purchased: likewise.
        """
        texts = []
        for query, *history in zip(queries, viewed, purchased, strict=True):
            seen, bought = ([self._titles[row] for row in rows] for rows in history)
            record = {"query": query, "viewed": seen, "purchased": bought}
            texts.append(self._model.card.inputs.render(record)[0] or query)
        found: np.ndarray = self._model.posterior(texts)[self._target]
        return found

    def told(self, posterior: np.ndarray) -> list[Share]:
        """The most probable kinds of a (C,) posterior, of those that the shelf has."""
        here = {self._classes[number] for number in np.unique(self._kind) if number >= 0}
        return [share for share in shares(posterior, self._classes) if share.label in here]

    def of(self, posterior: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """(K,) probabilities that products are of the kind that is wanted; 0 of a kind that the model does not know."""
        found: np.ndarray = np.append(posterior, 0.0)[self._kind[rows]]
        return found


def shares(posterior: np.ndarray, classes: Sequence[str]) -> list[Share]:
    """The most probable classes."""
    order = np.argsort(-posterior, kind="stable")[:TOLD]
    return [Share(classes[place], round(float(posterior[place]), 6)) for place in order]


def _class_of(category: str | None, number: dict[str, int]) -> int:
    """Of the longest beginning of its path that is a class; -1: none."""
    levels = (category or "").split("/")
    paths = ("/".join(levels[:depth]) for depth in range(len(levels), 0, -1))
    return next((number[path] for path in paths if path in number), -1)
