import random
from collections.abc import Sequence

import numpy as np
import pytest
from seqeval.metrics import classification_report
from seqeval.metrics.sequence_labeling import get_entities

from shopguide.metrics.spans import NAMES, Labelled, span_counts, span_scores
from shopguide.records.public.tagged import chunks


def random_tags(draw: random.Random, words: int, labels: str = "xyz", marks: str = "BIES") -> list[str]:
    return [draw.choice(["O", "O", *(f"{mark}-{label}" for mark in marks for label in labels)]) for _ in range(words)]


def scores(truth: Sequence[list[str]], found: Sequence[list[str]]) -> dict[str, float]:
    sides: list[list[set[Labelled]]] = [
        [{((first, last), label) for first, last, label in chunks(tags)} for tags in texts] for texts in (truth, found)
    ]
    labels = sorted({label for side in sides for some in side for _, label in some})
    values = span_scores(span_counts(sides[0], sides[1], labels).sum(0))
    return dict(zip([*NAMES, *labels], values.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(30))
def test_chunks_are_seqevals_in_every_scheme_and_in_wrong_sequences(seed: int) -> None:
    tags = random_tags(random.Random(seed), 40)
    assert chunks(tags) == [(first, last, label) for label, first, last in get_entities(tags)]


@pytest.mark.parametrize("seed", range(10))
def test_scores_are_seqevals(seed: int) -> None:
    draw = random.Random(seed)
    truth = [random_tags(draw, draw.randint(1, 12), "xy", "BI") for _ in range(30)]
    found = [
        tags if draw.random() < 0.4 else random_tags(draw, len(tags), draw.choice(["xy", "yz"]), "BI") for tags in truth
    ]
    report = classification_report(truth, found, output_dict=True, zero_division=0)
    own = scores(truth, found)
    micro = report["micro avg"]
    assert [own["precision"], own["recall"], own["f1"]] == pytest.approx(
        [micro["precision"], micro["recall"], micro["f1-score"]]
    )
    assert own["macro_f1"] == pytest.approx(report["macro avg"]["f1-score"])
    for label in "xyz":
        if label in report:
            assert own[label] == pytest.approx(report[label]["f1-score"])


def test_nothing_found_and_nothing_true() -> None:
    assert scores([["B-x"]], [["O"]])["f1"] == 0
    assert scores([["O"]], [["B-x"]])["precision"] == 0
    nothing = span_scores(np.zeros((2, 3), dtype=int))
    assert nothing[:4].tolist() == [0, 0, 0, 0]
    assert np.isnan(nothing[4:]).all()


def test_counts_are_of_each_text() -> None:
    counts = span_counts([{((0, 1), "x")}, set()], [{((0, 1), "x"), ((2, 3), "y")}, {((0, 1), "x")}], ["x", "y"])
    assert counts.tolist() == [[[1, 1, 1], [0, 1, 0]], [[0, 1, 0], [0, 0, 0]]]
