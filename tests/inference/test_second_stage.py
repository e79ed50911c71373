import numpy as np
import pytest

from shopguide.errors import ModelError
from shopguide.inference.answers import Classifier
from shopguide.inference.card import Card
from shopguide.inference.second_stage import DEPTH, SecondStage
from shopguide.tasks.lexical import Posteriors
from shopguide.text.inputs import InputSpec

PAIR = InputSpec(("query",), ("title",))


class Lengths(Classifier):
    """The longer the product's text, the surer that it fits."""

    def __init__(self, card: Card) -> None:
        self.card = card

    def network_posterior(
        self, first: list[str], second: list[str] | None = None, *, batch_tokens: int = 0
    ) -> Posteriors:
        sure = np.array([min(len(text), 100) / 100 for text in second or ()])
        return {"grade": np.stack([1 - sure, sure], axis=1)}


def stage(gains: list[float]) -> SecondStage:
    return SecondStage(Lengths(Card("relevance", PAIR, {"grade": ["0", "1"]}, 8, gains=gains)))


def test_expected_gains_are_shares_of_the_greatest() -> None:
    assert stage([0.0, 4.0]).expected(["q", "q"], ["a" * 25, "a" * 100]).tolist() == pytest.approx([0.25, 1.0])
    assert stage([2.0, 4.0]).expected(["q"], ["a" * 50]).tolist() == pytest.approx([0.75])


def test_the_first_are_ordered_anew_and_the_others_follow() -> None:
    products = ["a" * (1 + row % 7) for row in range(80)]
    found = np.arange(80)[None], -np.arange(80.0)[None]
    rows, scores = stage([0.0, 1.0]).ordered(["q"], products, found)
    expected = sorted(range(DEPTH), key=lambda row: (-len(products[row]), row))
    assert rows[0].tolist() == [*expected, *range(DEPTH, 80)]
    assert (np.diff(scores[0]) < 0).all()  # of equals too, so that the order stays where it is scored


def test_fewer_products_than_are_asked() -> None:
    found = np.array([[1, 0, -1], [-1, -1, -1]]), np.array([[0.9, 0.1, 0.0], [0.0, 0.0, 0.0]])
    rows, _ = stage([0.0, 1.0]).ordered(["q", "r"], ["aaa", "a"], found)
    assert rows.tolist() == [[0, 1, -1], [-1, -1, -1]]


@pytest.mark.parametrize(
    "card",
    [
        Card("match", PAIR, {"same": ["0", "1"]}, 8),
        Card("need", InputSpec(("query",)), {"need": ["0", "1"]}, 8, gains=[0, 1]),
    ],
)
def test_a_model_of_another_kind_is_told(card: Card) -> None:
    with pytest.raises(ModelError, match=f"expected a model that grades .* found one of the task `{card.task}`"):
        SecondStage(Lengths(card))


def test_a_first_stage_that_is_asked_something_else_is_told() -> None:
    own = stage([0.0, 1.0])
    own.check_asked(Card("search", InputSpec(("query",)), {}, 8, "retrieval"))
    with pytest.raises(ModelError, match=r"task `recommend` is asked query and viewed, but the model of `relevance`"):
        own.check_asked(Card("recommend", InputSpec(("query", "viewed")), {}, 8, "retrieval"))
