import pytest

from shopguide.guide.mentions import Mentions
from shopguide.guide.naming import asked_field
from shopguide.guide.shelf import Shelf
from tests.guide.shops import shop

NAMES = ["category", "price", "brand", "product_colour", "cable_length", "display_resolution", "maximum_resolution",
         "bluetooth", "colour", "颜色"]  # fmt: skip
ASKED = {
    "how much is it?": "price",
    "how much is the red dress": "price",
    "这款红色的多少钱": None,
    "这款多少钱": "price",
    "what does delivery cost": None,
    "运费多少钱": None,
    "brand?": "brand",
    "Which brand made this phone": "brand",
    "What colour is it?": "colour",
    "what is the product colour": "product_colour",
    "what is the color of this product please": "colour",
    "length": "cable_length",
    "What is the cable lenght?": "cable_length",
    "does it have bluetooth": "bluetooth",
    "颜色是什么": "颜色",
    "请问这款有什么颜色呢？": "颜色",
    "颜色": "颜色",
    "颜色会掉吗": None,
    "red": None,
    "Is it red?": "colour",
    "is this one black": "colour",
    "resolution?": None,
    "which cable is it": None,
    "how long is the cable": None,
    "is it red and cheap": None,
    "red or black?": None,
    "is it made in 2024": None,
    "can I return it if the colour is wrong": None,
    "": None,
}


@pytest.fixture(scope="module")
def mentions(tmp_path_factory: pytest.TempPathFactory) -> Mentions:
    return Mentions(Shelf(shop(tmp_path_factory.mktemp("shop"))))


@pytest.mark.parametrize("question", ASKED)
def test_what_a_question_asks_for(question: str, mentions: Mentions) -> None:
    assert asked_field(question, NAMES, mentions) == ASKED[question]


def test_a_field_that_the_product_does_not_have(mentions: Mentions) -> None:
    assert asked_field("is it red", ["price"], mentions) is None
    assert asked_field("what colour is it", ["product_colour"], mentions) == "product_colour"
    assert asked_field("what colour is it", ["inner_colour", "outer_colour"], mentions) is None
