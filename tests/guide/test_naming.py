import pytest

from shopguide.guide.mentions import Mentions
from shopguide.guide.naming import asked_field
from shopguide.guide.shelf import Shelf
from tests.guide.shops import shop

FIELDS = {"category": "clothing/dress", "price": "30", "brand": "Peak", "product_colour": "red", "cable_length": "2 m",
          "display_resolution": "1", "maximum_resolution": "2", "display_type": "LCD", "scale": "1:5",
          "bluetooth": "true", "colour": "red", "颜色": "红", "重量": "2"}  # fmt: skip
ASKED = {
    "how much is it?": "price",
    "what's the price?": "price",
    "how much would it cost": "price",
    "how much is the red dress": "price",
    "价格是多少": "price",
    "这个商品多少钱": "price",
    "多少钱一件": "price",
    "how much is the blue one": None,
    "how much is a smartphone": None,
    "what does delivery cost": None,
    "what is the delivery price": None,
    "is the price negotiable": None,
    "do you price match": None,
    "运费多少钱": None,
    "brand?": "brand",
    "What's the brand": "brand",
    "What colour is it?": "colour",
    "what is the product colour": "product_colour",
    "what is the color of this please": "colour",
    "length": None,
    "What is the cable lenght?": "cable_length",
    "what is the display resolution": "display_resolution",
    "does it have bluetooth": "bluetooth",
    "颜色是什么": "颜色",
    "请问这款有什么颜色呢？": "颜色",
    "颜色": "颜色",
    "重量是多少": "重量",
    "颜色有哪些": "颜色",
    "Is it red?": "colour",
    "is this one black": "colour",
    "颜色会掉吗": None,
    "is it brand new?": None,
    "will the colour fade": None,
    "does it come in red": None,
    "does it come with a smartphone": None,
    "is it a dress": None,
    "does it have a band?": None,
    "is it on sale?": None,
    "what type is it": None,
    "resolution?": None,
    "which cable is it": None,
    "how long is the cable": None,
    "is it red and cheap": None,
    "red or black?": None,
    "red": None,
    "is it made in 2024": None,
    "can I return it if the colour is wrong": None,
    "": None,
}


@pytest.fixture(scope="module")
def mentions(tmp_path_factory: pytest.TempPathFactory) -> Mentions:
    return Mentions(Shelf(shop(tmp_path_factory.mktemp("shop"))))


@pytest.mark.parametrize("question", ASKED)
def test_what_a_question_asks_for(question: str, mentions: Mentions) -> None:
    assert asked_field(question, FIELDS, mentions) == ASKED[question]


def test_a_field_that_the_product_does_not_have(mentions: Mentions) -> None:
    assert asked_field("is it red", {"price": "1"}, mentions) is None
    assert asked_field("what colour is it", {"product_colour": "red"}, mentions) == "product_colour"
    assert asked_field("what colour is it", {"strap_colour": "red"}, mentions) is None
    assert asked_field("is it free", {"gluten_free": "yes"}, mentions) is None
    assert asked_field("the colour is it", {"product_colour": "a", "main_colour": "b"}, mentions) is None
