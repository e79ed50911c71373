from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from shopguide.guide.answering import _says
from shopguide.guide.guide import Guide
from shopguide.guide.results import Evidence
from shopguide.inference.answers import Classifier, Posteriors
from tests.guide.shops import FAQ, PRODUCTS, shop

SILK = "Feels like silk. Do not wash it hot."


class Reader(Classifier):
    """Takes the piece with a word of the question's last one for the answer."""

    card = SimpleNamespace(targets={"answers": ["0", "1"]})  # type: ignore[assignment]

    def network_posterior(self, *_asked: Any, **_more: Any) -> Posteriors:
        raise AssertionError

    def posterior(self, first: Sequence[str], second: Any = None, **_more: Any) -> Posteriors:
        yes = np.array([0.9 if q.split()[-1] in piece else 0.1 for q, piece in zip(first, second, strict=True)])
        return {"answers": np.stack([1 - yes, yes], 1)}


class Writer:
    def __init__(self, said: str) -> None:
        self.said = said

    def write(self, question: str, fact: str) -> str:
        return self.said.format(question=question, fact=fact)


def guide(folder: Path, writer: Any = None, models: Any = None) -> Guide:
    PRODUCTS[1] |= {"description": SILK, "reviews": ["Runs small."]}
    try:
        return Guide(shop(folder, FAQ), {"evidence": Reader()} if models is None else models, {}, (), writer)
    finally:
        del PRODUCTS[1]["description"], PRODUCTS[1]["reviews"]


def test_what_is_read_in_texts_and_reviews(tmp_path: Path) -> None:
    made = guide(tmp_path)
    told = made.answer("may I wash", "I2")
    assert told.answer == "Do not wash it hot."
    assert told.evidence == [Evidence("description", "I2", "description", "Do not wash it hot.")]
    told = made.answer("is it small", "I2")
    assert (told.answer, told.evidence[0].source) == ("Runs small.", "review")
    told = made.answer("is it by silk", "I2")
    assert (told.answer, told.evidence[0]) == ("material: silk", Evidence("attribute", "I2", "material", "silk"))


def test_what_is_in_no_piece_is_not_known(tmp_path: Path) -> None:
    assert guide(tmp_path).answer("does it float", "I2").answer is None
    assert guide(tmp_path / "b", models={}).answer("may I wash", "I2").answer is None


def test_attributes_and_the_shops_own_reply_go_before_what_is_read(tmp_path: Path) -> None:
    made = guide(tmp_path)
    assert made.answer("colour", "I2").evidence[0].source == "attribute"
    assert made.answer("how can I return something", "I2").answer == "Within seven days."


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Yes, do not wash it hot.", "Yes, do not wash it hot."),
        ("DO NOT WASH IT HOT", "DO NOT WASH IT HOT"),
        ("No, do not wash it hot.", "Do not wash it hot."),  # a no of its own
        ("Do not wash it hot, it is cotton.", "Do not wash it hot."),
        ("Do not wash it hot, 60 degrees.", "Do not wash it hot."),
        ("You may wash it.", "Do not wash it hot."),
        ("", "Do not wash it hot."),
    ],
)
def test_a_writer_says_the_fact_and_nothing_else(tmp_path: Path, said: str, told: str) -> None:
    found = guide(tmp_path, Writer(said)).answer("may I wash", "I2")
    assert (found.answer, found.evidence[0].text) == (told, "Do not wash it hot.")


@pytest.mark.parametrize(
    ("said", "fact", "value", "holds"),
    [
        ("It lasts 12 hours.", "battery life: 12 hours", "12 hours", True),
        ("It lasted 12 hours.", "battery life: 12 hours", "12 hours", True),
        ("It will last.", "battery life: 12 hours", "12 hours", False),
        ("It lasts 120 hours.", "battery life: 12 hours", "12 hours", False),
        ("是的，红色款。", "红色款", "红色款", True),
        ("不是红色款。", "红色款", "红色款", False),
        ("It is 39.50 euros.", "price: 39.50", "39.50", False),
    ],
)
def test_what_says_a_fact(said: str, fact: str, value: str, holds: bool) -> None:
    assert _says(said, f"how long does it last {fact}", value) is holds


def test_a_writer_leaves_the_shops_own_words(tmp_path: Path) -> None:
    found = guide(tmp_path, Writer("The colour is blue.")).answer("colour", "I2")
    assert (found.answer, found.evidence[0].text) == ("The colour is blue.", "blue")
    reply = guide(tmp_path / "b", Writer("Never mind seven days.")).answer("how can I return something")
    assert reply.answer == "Within seven days."
