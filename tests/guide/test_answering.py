from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from shopguide.errors import ModelError
from shopguide.guide.answering import Answered, _says
from shopguide.guide.guide import Guide
from shopguide.guide.results import Evidence
from shopguide.guide.trust import NEVER
from shopguide.inference.answers import Classifier, Posteriors
from shopguide.records.tables import load_shop
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
        ("DO NOT WASH IT HOT", "DO NOT WASH IT HOT"),
        ("No, do not wash it hot.", "Do not wash it hot."),
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
        ("The battery life is 12 hours.", "battery life: 12 hours", "12 hours", True),
        ("It is 12 hours.", "battery life: 12 hours", "12 hours", True),
        ("It is 120 hours.", "battery life: 12 hours", "12 hours", False),
        ("It is 12 hours and 30 minutes.", "battery life: 12 hours", "12 hours", False),
        ("材质是纯棉。", "材质: 纯棉", "纯棉", True),
        ("不是纯棉。", "材质: 纯棉", "纯棉", False),
        ("不防水透气", "防水透气", "防水透气", False),
        ("没有保修", "保修: 有", "有", False),
        ("It is 39.50 euros.", "price: 39.50", "39.50", False),
        ("It is not waterproof.", "waterproof", "waterproof", False),
        ("It is made of cotton and silk.", "material: cotton", "cotton", False),
        ("Machine wash at 60.", "care: machine wash", "machine wash", False),
        ("You cannot machine wash it.", "care: machine wash", "machine wash", False),
        ("It is noisy.", "noisy: no", "no", False),
        ("It is 15 kg.", "weight kg: 5", "5", False),
        ("Yes, it is blue.", "colour: blue", "blue", False),
        ("It is -5 °C", "5 °C", "5 °C", False),
        ("It is -5 °C", "temperature: -5 °C", "-5 °C", True),
    ],
)
def test_what_says_a_fact(said: str, fact: str, value: str, holds: bool) -> None:
    assert _says(said, fact, value) is holds


def test_a_product_of_which_nothing_is_known_and_a_reader_of_something_else(tmp_path: Path) -> None:
    root = tmp_path / "bare"
    root.mkdir()
    (root / "products.jsonl").write_text('{"item_id": "A", "title": "|"}\n')
    made = Guide(load_shop("files", root, cache_dir=tmp_path / "c"), {"evidence": Reader()}, {})
    assert made.answer("is it red", "A").answer is None
    other = Reader()
    other.card = SimpleNamespace(targets={"grade": ["viewed", "bought"]})  # type: ignore[assignment]
    with pytest.raises(ModelError, match="expected a model with a class 1, found viewed, bought"):
        guide(tmp_path, models={"evidence": other})


class Unsure(Reader):
    """As sure as the question's first number says, of the piece with its last word."""

    def posterior(self, first: Sequence[str], second: Any = None, **_more: Any) -> Posteriors:
        yes = np.array(
            [float(q.split()[0]) if q.split()[-1] in piece else 0.0 for q, piece in zip(first, second, strict=True)]
        )
        return {"answers": np.stack([1 - yes, yes], 1)}


def learnt(made: Guide, wrong_below: float, count: int = 40) -> float:
    """When answers are trusted that are wrong where the model is less sure."""
    sure = np.linspace(0.5, 0.99, count)
    made.answering.learn(
        [Answered(f"{own:.4f} about material", 1, "silk" if own >= wrong_below else "wool") for own in sure]
        + [Answered("0.3 of none cotton", 0, None), Answered("0.99 silk silk", 1, "silk")]  # the last says nothing
    )
    return made.answering.sure


def test_answers_are_trusted_from_where_nine_of_ten_are_right(tmp_path: Path) -> None:
    made = guide(tmp_path, models={"evidence": Unsure()})
    assert made.answering.sure == 0.9
    assert learnt(made, 0.8) == pytest.approx(0.8, abs=0.01)
    assert made.answer("0.85 about material", "I2").answer == "material: silk"
    assert made.answer("0.70 about material", "I2").answer is None
    assert learnt(made, 0.99) == NEVER
    assert made.answer("0.99 about material", "I2").answer is None
    assert learnt(made, 0.5, count=8) == NEVER  # too few to know


class Sure(Classifier):
    """Knows what everybody wants."""

    card = SimpleNamespace(targets={"intent": ["return", "track"]})  # type: ignore[assignment]
    network_posterior = Reader.network_posterior

    def posterior(self, first: Sequence[str], *_asked: Any, **_more: Any) -> Posteriors:
        return {"intent": np.array([[0.02, 0.98]] * len(first))}


def test_an_intent_is_believed_of_words_that_were_heard_and_where_the_model_is_right(tmp_path: Path) -> None:
    made = guide(tmp_path, models={"intent": Sure()})
    assert made.reply("is my order something I can").reply.answer == "See the link."
    assert made.reply("is my ordr somethng I can").reply.answer == "See the link."  # slips are mended
    assert made.reply("<img src=x onerror=alert(1)>").handover
    assert made.reply("guns for my war").handover
    made.replying.learn([("where is my order", "return")] * 20)
    assert made.replying.sure == NEVER
    assert made.reply("is my order something I can").handover
    made.replying.learn([("where is my order", "track")] * 20)
    assert made.replying.sure == pytest.approx(0.98)


def test_a_question_on_the_price(tmp_path: Path) -> None:
    made = guide(tmp_path)
    for question in ("how much is it?", "what does it cost", "多少钱"):
        told = made.answer(question, "I2")
        assert (told.answer, told.evidence[0].name) == ("price: 90", "price")


def test_what_is_surely_wanted_goes_before_what_is_read(tmp_path: Path) -> None:
    both = {"evidence": Reader(), "intent": Sure()}
    assert guide(tmp_path, models=both).reply("is my order something I can silk", "I2").reply.answer == "See the link."
    assert guide(tmp_path / "b").reply("is my order something I can silk", "I2").reply.answer == "material: silk"


def test_a_writer_leaves_the_shops_own_words(tmp_path: Path) -> None:
    found = guide(tmp_path, Writer("The colour is blue.")).answer("colour", "I2")
    assert (found.answer, found.evidence[0].text) == ("The colour is blue.", "blue")
    reply = guide(tmp_path / "b", Writer("Never mind seven days.")).answer("how can I return something")
    assert reply.answer == "Within seven days."


def test_the_shops_own_words_on_a_question_go_before_what_an_attribute_says(tmp_path: Path) -> None:
    FAQ.append({"question": "colour?", "answer": "See the pictures.", "intent": "colour"})
    try:
        made = guide(tmp_path)
    finally:
        del FAQ[-1:]
    assert made.answer("Colour", "I2").answer == "See the pictures."
    assert made.answer("what is the colour", "I2").answer == "colour: blue"


def test_a_products_own_dialogue_goes_before_what_everybody_is_told(tmp_path: Path) -> None:
    own = [
        {"question": "warranty?", "answer": "Three years.", "item_id": "I2"},
        {"question": "Warranty", "answer": "Two."},
    ]
    made = Guide(shop(tmp_path, own), {}, {})
    assert made.answer("warranty", "I2").answer == "Three years."
    assert made.answer("warranty", "I1").answer == made.answer("warranty").answer == "Two."


def test_what_a_text_does_not_tell_is_not_known(tmp_path: Path) -> None:
    PRODUCTS[1]["attributes"]["max load"] = "n/a"
    try:
        made = guide(tmp_path)
    finally:
        del PRODUCTS[1]["attributes"]["max load"]
    assert made.answer("what is the max load", "I2").answer is None
