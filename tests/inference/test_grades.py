from math import comb
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, ndcg_score

from shopguide.config import FinetuneConfig
from shopguide.errors import ConfigError
from shopguide.experiment.heads.classification import HEAD
from shopguide.inference.grades import grade_scores, rank_scores
from shopguide.tasks.relevance import Relevance
from shopguide.tasks.task import Examples

LISTS, LENGTH = 20, 6
DRAW = np.random.default_rng(0)
GRADE = DRAW.integers(1, 5, LISTS * LENGTH)
POSTERIOR = DRAW.dirichlet(np.ones(4), LISTS * LENGTH).astype(np.float32)


def judged(labels: list[str]) -> Examples:
    queries = [f"q{i // LENGTH}" for i in range(len(labels))]
    return Examples(
        first=queries,
        second=[f"text {i}" for i in range(len(labels))],
        labels={"grade": list(labels)},
        split=["train"] * len(labels),
        groups=queries,
        lists=queries,
    )


def test_one_posterior_classifies_ranks_and_grades() -> None:
    examples = judged([str(grade) for grade in GRADE])
    card = HEAD.card(Relevance(name="relevance"), examples, FinetuneConfig(epochs=1))
    assert card.gains == [0, 1, 2, 3]
    found = HEAD.score(card, examples, {"grade": POSTERIOR})
    expected = POSTERIOR @ np.arange(4.0)
    folded = [values.reshape(LISTS, LENGTH) for values in (GRADE - 1, expected)]
    assert found.metrics["ndcg_at_10"] == pytest.approx(ndcg_score(*folded), abs=1e-9)
    assert found.metrics["rmse"] == pytest.approx(np.sqrt(((expected - GRADE + 1) ** 2).mean()))
    nearest = np.abs(expected[:, None] - np.arange(4)).argmin(1)
    assert found.metrics["kappa"] == pytest.approx(cohen_kappa_score(GRADE - 1, nearest, weights="quadratic"))
    assert found.metrics["accuracy"] == pytest.approx((POSTERIOR.argmax(1) == GRADE - 1).mean())
    for name in ("ndcg_at_10", "mrr", "map", "rmse", "kappa"):
        low, high = found.intervals[name]
        assert low < found.metrics[name] < high


def test_of_equal_scores_the_order_of_the_records_says_nothing() -> None:
    gains = np.tile([1.0] * 5 + [0.0] * 15, 400)
    for own in (gains, gains[::-1]):
        examples = judged(["1"] * len(own))
        examples.lists = [str(i // 20) for i in range(len(own))]
        found = rank_scores(examples, np.zeros(len(own)), own)
        first = [comb(20 - rank, 4) / comb(20, 5) for rank in range(1, 17)]
        assert found.metrics["mrr"] == pytest.approx(first @ (1 / np.arange(1, 17)), abs=0.04)


def test_a_grade_that_training_has_not_gains_nothing() -> None:
    examples = judged(["1", "2"] * 12)
    card = HEAD.card(Relevance(name="relevance"), examples, FinetuneConfig(epochs=1))
    asked = judged(["1", "9"] * 12)
    found = HEAD.score(card, asked, {"grade": np.tile([[0.9, 0.1]], (24, 1)).astype(np.float32)})
    assert found.metrics["ndcg_at_10"] == 0
    assert found.metrics["rmse"] == pytest.approx(0.1)


def test_nothing_that_is_judged() -> None:
    examples = judged(["x"] * 6)
    none = np.full(6, np.nan)
    assert rank_scores(examples, np.arange(6.0), none).metrics == {"ndcg_at_10": 0, "mrr": 0, "map": 0}
    assert grade_scores(examples, np.arange(6.0), none).metrics == {}


@pytest.mark.parametrize(
    ("classes", "gains"),
    [
        (["bought", "irrelevant", "viewed"], [2, 0, 1]),
        (["E", "I", "S"], [1, 0, 0.1]),
        (["Exact", "Irrelevant", "Partial"], [1, 0, 0.5]),
        (["1", "1.33", "3"], [0, 0.33, 2]),
        (["good", "bad"], None),
        (["1", "nan"], None),
        (["1", "inf"], None),
    ],
)
def test_what_grades_are_worth(classes: list[str], gains: list[float] | None) -> None:
    assert Relevance(name="relevance").graded(classes) == (gains and pytest.approx(gains))


def test_gains_of_one_s_own() -> None:
    task = Relevance(name="relevance", gains={"good": 2, "bad": 0})
    assert task.graded(["bad", "good"]) == [0, 2]
    typed: Any = {1: 0.5, 2: 4}  # as a command line reads them
    assert Relevance(name="relevance", gains=typed).graded(["2", "1"]) == [4, 0.5]
    with pytest.raises(ConfigError, match="expected at least 0 for each grade, found none for ugly"):
        task.graded(["bad", "good", "ugly"])
    with pytest.raises(ConfigError, match="expected grades of unequal worth"):
        Relevance(name="relevance", gains={"good": 1, "bad": 1}).graded(["bad", "good"])
    with pytest.raises(ConfigError, match="found one below 0"):
        Relevance(name="relevance", gains={"good": 2, "bad": -1}).graded(["bad"])
