from pathlib import Path
from typing import Any

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


def test_a_shop_without_dialogues(tmp_path: Path) -> None:
    records = shop(tmp_path, [])
    knowledge = Knowledge(Shelf(records), records)
    assert knowledge.about("what colour is it") is None
    assert knowledge.reply("hello", None) is None


def known(folder: Path, *more: dict[str, Any]) -> Knowledge:
    records = shop(folder, [*FAQ, *QUESTIONS, *more])
    return Knowledge(Shelf(records), records)


def test_what_is_somebodys_own_is_told_to_nobody_else(tmp_path: Path) -> None:
    own = [
        {"question": "where is my parcel", "answer": "48213 was left with your neighbour.", "intent": "post"},
        {"question": "who are you, mei@example.com?", "answer": "A shop.", "intent": "post"},
        {"question": "is it there", "answer": "Yes, Ms Li.", "intent": "post"},
        {"question": "is it there", "answer": "No, Mr Wu.", "intent": "post"},
        asked("does it fit", "I1", "Yes, as in order 123456."),
    ]
    knowledge = known(tmp_path, *own)
    assert knowledge.reply("where is my parcel", "post") is None
    assert knowledge.reply("is it there", None) is None
    assert knowledge.answered("does it fit", "I1") is None
    assert len(knowledge.replies) == len(FAQ)


def test_one_word_changed_is_another_question(tmp_path: Path) -> None:
    more = {"question": "Do you ship to Canada?", "answer": "No.", "intent": "ship"}
    knowledge = known(
        tmp_path, more, asked("fits it a dishwasher?", "I1", "Yes."), asked("能放洗碗机吗？", "I1", "能。")
    )
    assert knowledge.reply("do you ship to canada", None).answer == "No."  # type: ignore[union-attr]
    assert knowledge.reply("Do you ship to Germany?", None) is None
    assert knowledge.reply("can I return something after 60 days", None) is None
    assert knowledge.answered("能放洗碗机吗", "I1") == "能。"
    assert knowledge.answered("能放洗碗机吗", "I2") is None


def test_of_several_replies_of_an_intent_one_must_be_like_the_message(tmp_path: Path) -> None:
    knowledge = known(tmp_path, {"question": "who pays for the way back", "answer": "We do.", "intent": "return"})
    assert knowledge.reply("who pays for the way back?", "return").answer == "We do."  # type: ignore[union-attr]
    assert knowledge.reply("it broke", "return") is None
