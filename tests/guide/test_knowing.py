from pathlib import Path

import pytest

from shopguide.guide.knowing import Knowledge
from shopguide.guide.shelf import Shelf
from tests.guide.shops import FAQ, QUESTIONS, asked, shop


@pytest.fixture
def knowledge(tmp_path: Path) -> Knowledge:
    records = shop(tmp_path)
    return Knowledge(Shelf(records), records)


def test_an_attribute_whose_value_stands_in_the_answers(knowledge: Knowledge) -> None:
    assert knowledge.about("What colour is it?") == ("colour", "what colour is it")
    assert knowledge.worded("what colour is it", "green") == "It is green."


def test_an_attribute_that_decides_the_answers(knowledge: Knowledge) -> None:
    assert knowledge.about("什么颜色") == ("colour", "什么颜色")
    assert knowledge.worded("什么颜色", "red") == "红色"
    assert knowledge.worded("什么颜色", "green") is None


def test_what_nobody_asked_is_not_known(knowledge: Knowledge) -> None:
    assert knowledge.about("does it float") is None
    assert knowledge.reply("does it float", None) is None


def test_a_wrong_answer_is_not_repeated(tmp_path: Path) -> None:
    wrong = [*QUESTIONS, asked("什么颜色", "I4", "黑色"), asked("什么颜色", "I1", "红色")]
    records = shop(tmp_path, FAQ + wrong)
    knowledge = Knowledge(Shelf(records), records)
    said = {value: knowledge.worded("什么颜色", value) for value in ("red", "black", "blue")}
    assert said == {"red": "红色", "black": "黑色", "blue": "蓝色"}


def test_replies_follow_intent_and_language(knowledge: Knowledge) -> None:
    found = {knowledge.reply(message, "return").answer for message in ("我要退货", "退")}  # type: ignore[union-attr]
    assert found == {"七天内。"}
    assert knowledge.reply("take it back", "return").answer == "Within seven days."  # type: ignore[union-attr]
    assert knowledge.reply("take it back", "unheard of") is None
    assert knowledge.reply("where is my order", None).answer == "See the link."  # type: ignore[union-attr]
    assert knowledge.about_products == {"product"}


def test_a_shop_without_dialogues(tmp_path: Path) -> None:
    records = shop(tmp_path, [])
    knowledge = Knowledge(Shelf(records), records)
    assert knowledge.about("what colour is it") is None
    assert knowledge.reply("hello", None) is None
