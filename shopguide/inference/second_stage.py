"""The second stage of a search: a cross-encoder reads the query beside each product that the first stage found.

Shapes: N pairs or queries, K products found of each query.
"""

from collections.abc import Sequence

import numpy as np

from shopguide.errors import ModelError
from shopguide.inference.answers import BATCH_TOKENS, Answerer, Classifier
from shopguide.inference.card import Card
from shopguide.inference.retrieval import Found

DEPTH = 50
"""Products of each query that are read."""
EQUAL = 1e-9
"""By so much a product that was found later scores less: of equals, the order stays."""


class SecondStage:
    """A model of pairs whose classes are grades: orders products by their expected gain, Σ_y P(y | q, p) g(y).

    Args:
        scorer: the model.

    Raises:
        ModelError: it does not grade pairs.
    """

    def __init__(self, scorer: Answerer) -> None:
        card = scorer.card
        if not isinstance(scorer, Classifier) or card.gains is None or not card.inputs.second:
            raise ModelError(
                "expected a model that grades a query and a product (task relevance, its grades in an order), "
                f"found one of the task `{card.task}`"
            )
        self._scorer, self._gains = scorer, np.array(card.gains)

    def check_asked(self, card: Card) -> None:
        """Tell of a first stage that is asked something else.

        Args:
            card: of the model that finds the products.

        Raises:
            ModelError: this model reads another query than that one.
        """
        own = self._scorer.card
        if own.inputs.first != card.inputs.first:
            raise ModelError(
                f"task `{card.task}` is asked {' and '.join(card.inputs.first)}, but the model of `{own.task}` "
                f"reads {' and '.join(own.inputs.first)}: it orders what a task finds that is asked the same"
            )

    def expected(self, queries: Sequence[str], products: Sequence[str], batch_tokens: int = BATCH_TOKENS) -> np.ndarray:
        """(N,) expected gains of pairs, as shares of the greatest one."""
        (posterior,) = self._scorer.rough_posterior(queries, products, batch_tokens=batch_tokens).values()
        found: np.ndarray = posterior @ self._gains / self._gains.max()
        return found

    def ordered(
        self, queries: Sequence[str], products: Sequence[str], found: Found, batch_tokens: int = BATCH_TOKENS
    ) -> Found:
        """The first `DEPTH` products of each query anew, the greatest expected gain first.

        The others follow as they were found, with scores below 0.

        Args:
            queries: N texts.
            products: of the whole catalogue, as they are read.
            found: (N, K) by the first stage; of equals, its order stays.
            batch_tokens: that the model sees at once.
        """
        rows = found[0]
        places = np.argwhere(rows[:, :DEPTH] >= 0)
        gains = np.tile(-1.0 - np.arange(rows.shape[1]), (len(rows), 1))
        if len(places):
            first = [queries[query] for query, _ in places.tolist()]
            second = [products[row] for row in rows[tuple(places.T)].tolist()]
            gains[tuple(places.T)] = self.expected(first, second, batch_tokens)
        gains -= EQUAL * np.arange(rows.shape[1])
        order = np.argsort(-gains, axis=1, kind="stable")
        return np.take_along_axis(rows, order, 1), np.take_along_axis(gains, order, 1)
