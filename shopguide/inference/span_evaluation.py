"""Scores of found spans, extracted values and given labels against labelled examples, with bootstrap intervals."""

from collections.abc import Sequence

import numpy as np

from shopguide.inference.evaluation import Scores
from shopguide.metrics.bootstrap import bootstrap
from shopguide.metrics.spans import NAMES, Labelled, span_counts, span_scores
from shopguide.tasks.task import Examples
from shopguide.text.tags import Span

RIGHT, WRONG = "right", "wrong"


def score_spans(examples: Examples, found: Sequence[Sequence[Span]], intervals: bool = True) -> Scores:
    """A span is right where its ends and its label are; `f1/<label>` tells each label's."""
    marked = examples.spans or []
    return _score(_placed(marked), _placed(found), examples.groups, intervals)


def _placed(spans: Sequence[Sequence[Span] | None]) -> list[set[Labelled]]:
    """(start, end) and label of the spans of each text."""
    return [{(span[:2], span.label) for span in some or ()} for some in spans]


def score_values(examples: Examples, found: Sequence[str | None], intervals: bool = True) -> Scores:
    """One value, or none, for each attribute of a product; `f1/<attribute>` tells each attribute's.

    With none said and none found nothing counts; a value found where none is said lowers precision, none found where
    one is said recall, another one than any of those said both (the counts NN, NV, VN, VW, VC of Yang et al. 2022,
    MAVE, §5, and of Brinkmann et al. 2023). Blanks at the ends do not count, case does.
    """
    truth: list[set[Labelled]] = []
    guess: list[set[Labelled]] = []
    for name, values, value in zip(examples.first, examples.values or [], found, strict=True):
        kind = RIGHT if value is not None and value.strip() in {one.strip() for one in values} else WRONG
        truth.append({(RIGHT, name)} if values else set())
        guess.append({(kind, name)} if value is not None else set())
    return _score(truth, guess, examples.groups, intervals)


def score_labels(examples: Examples, found: Sequence[Sequence[str]], intervals: bool = True) -> Scores:
    """Of texts with several labels: a label is right where the text has it; `f1/<label>` tells each label's."""
    pairs = [[{(label, label) for label in some} for some in side] for side in (examples.values or [], found)]
    truth: Sequence[set[Labelled]]
    guess: Sequence[set[Labelled]]
    truth, guess = pairs  # type: ignore[assignment]
    return _score(truth, guess, examples.groups, intervals)


def _score(
    truth: Sequence[set[Labelled]], found: Sequence[set[Labelled]], groups: Sequence[str], intervals: bool
) -> Scores:
    labels = sorted({label for side in (truth, found) for some in side for _, label in some})
    counts = span_counts(truth, found, labels)
    names = [*NAMES, *(f"f1/{label}" for label in labels)]
    metrics = dict(zip(names, span_scores(counts.sum(0)).tolist(), strict=True))
    if not intervals or not len(truth):
        return Scores(metrics, {}, len(truth))
    bounds = bootstrap(groups, lambda weight: span_scores(np.tensordot(weight, counts, 1)))
    return Scores(metrics, dict(zip(names, bounds, strict=True)), len(truth))
