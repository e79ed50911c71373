"""What all task models share, whatever computes them: records in, answers out.

Shapes: N examples, C classes of a target.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from shopguide.errors import DataError
from shopguide.inference.card import Card
from shopguide.tasks.class_tree import consistent
from shopguide.tasks.fusion import Fusion
from shopguide.tasks.lexical import Posteriors
from shopguide.tasks.temperature import tempered

BATCH_TOKENS = 4096
"""Tokens that a model sees at once: short texts gain by company, long ones do not lose by it."""
HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")
CHUNK = 4096
"""Records held at once when a stream is answered."""

Answer = dict[str, Any]
"""What is told of one record."""


class Answerer(ABC):
    """A task model that answers about records."""

    card: Card

    @abstractmethod
    def answers(self, first: Sequence[str], second: Sequence[str] | None, *, batch_tokens: int) -> Iterator[Answer]:
        """One answer a text or pair of texts, in order."""

    def predict(self, records: Iterable[Mapping[str, Any]], *, batch_tokens: int = BATCH_TOKENS) -> Iterator[Answer]:
        """Answer a stream of records, in order, a few thousand at a time.

        Raises:
            DataError: a record has none of the fields that the model reads, or is none, or not text.
        """
        stream, number = iter(records), 0
        while chunk := list(islice(stream, CHUNK)):
            texts = [self._texts(record, number + i + 1) for i, record in enumerate(chunk)]
            number += len(chunk)
            first = [text for text, _ in texts]
            second = [text or "" for _, text in texts] if self.card.inputs.second else None
            yield from self.answers(first, second, batch_tokens=batch_tokens)

    def _texts(self, record: Mapping[str, Any], number: int) -> tuple[str, str | None]:
        spec = self.card.inputs
        if not isinstance(record, Mapping):
            raise DataError(f"record {number}: expected fields and their values, found {record!r:.80}")
        texts = spec.render(record)
        if any(HALF_A_CHARACTER.search(text or "") for text in texts):
            raise DataError(
                f"record {number}: expected whole characters, found half of one (a lone surrogate, as \\ud83d)"
            )
        if not texts[0] or (spec.second and not texts[1]):
            wanted = " and ".join(" or ".join(fields) for fields in (spec.first, spec.second) if fields)
            filled = sorted(key for key, value in record.items() if str(value or "").strip())
            found = f"only {', '.join(filled)}" if filled else "nothing"
            raise DataError(f"record {number}: task `{self.card.task}` expected text in {wanted}, found {found}")
        return texts


class Classifier(Answerer):
    """Tells the posterior over the classes of each target, and ŷ = argmax_y P(y | x; θ)."""

    fusion: Fusion | None = None
    """A lexical branch, whose posterior is fused with the network's."""

    @abstractmethod
    def network_posterior(
        self, first: Sequence[str], second: Sequence[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> Posteriors:
        """What the network alone says."""

    def posterior(
        self, first: Sequence[str], second: Sequence[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> Posteriors:
        """Target → (N, C) probabilities, rows as given."""
        return self.decided(self.network_posterior(first, second, batch_tokens=batch_tokens), first, second)

    def rough_posterior(
        self, first: Sequence[str], second: Sequence[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> Posteriors:
        """As `posterior`, as exact as an order of many needs."""
        return self.posterior(first, second, batch_tokens=batch_tokens)

    def decided(self, own: Posteriors, first: Sequence[str], second: Sequence[str] | None) -> Posteriors:
        """What the model says where its network says `own`: as sure as it may be, or fused with its lexical branch;
        consistent over its tree.
        """
        if self.fusion is not None:
            found = self.fusion(own, first, second)
        else:
            found = {target: tempered(part, self.card.temperatures.get(target, 1.0)) for target, part in own.items()}
        return found if self.card.paths is None else consistent(found, self.card.paths)

    def answers(self, first: Sequence[str], second: Sequence[str] | None, *, batch_tokens: int) -> Iterator[Answer]:
        """`label` and `posterior`; for a model of several targets, both by target."""
        by_target = self.posterior(first, second, batch_tokens=batch_tokens)
        rows = {
            target: [_answer(row, self.card.targets[target]) for row in matrix] for target, matrix in by_target.items()
        }
        if len(rows) == 1:
            yield from next(iter(rows.values()))
            return
        for answers in zip(*rows.values(), strict=True):
            named = dict(zip(rows, answers, strict=True))
            yield {key: {target: a[key] for target, a in named.items()} for key in ("label", "posterior")}


def _answer(row: np.ndarray, classes: list[str]) -> Answer:
    order = np.argsort(-row, kind="stable")
    return {"label": classes[order[0]], "posterior": {classes[i]: told(row[i]) for i in order}}


def told(probability: float) -> float:
    """To six decimals."""
    return round(float(probability), 6)
