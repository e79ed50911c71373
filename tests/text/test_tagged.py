from typing import Any

import pytest

from shopguide.text.masking import IGNORE
from shopguide.text.tagged import TaggedTexts
from shopguide.text.tags import Span, Tags
from shopguide.text.tokenizer import train_tokenizer

TAGS = Tags(("brand", "colour"))
TEXTS = ["red nike shoe", "红色耐克鞋子", "big 红 shoes"]


@pytest.fixture(scope="module", params=["bert", "gpt2"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return train_tokenizer(TEXTS * 20, 300, request.param)


def test_words_carry_their_tags(tokenizer: Any) -> None:
    spans = [[Span(0, 3, "colour"), Span(4, 8, "brand")], [Span(0, 2, "colour"), Span(2, 4, "brand")], []]
    texts = TaggedTexts(tokenizer, TEXTS, None, 40, TAGS, spans)
    for row, text in enumerate(TEXTS):
        labels = texts[(0, row)]["labels"]
        tags = labels[labels != IGNORE]
        assert len(labels) == len(texts[(0, row)]["input_ids"]) == texts.lengths[row]
        assert len(tags) == len(texts.words[row])
        found = [span for span, _, _ in TAGS.decode(texts.words[row], tags)]
        if tokenizer.convert_tokens_to_ids(tokenizer.tokenize("红")) and text.isascii():
            assert found == spans[row]


def test_each_chinese_character_is_a_word_of_its_own() -> None:
    bert = train_tokenizer(TEXTS * 20, 300, "bert")
    spans = [[Span(0, 2, "colour"), Span(2, 4, "brand")]]
    texts = TaggedTexts(bert, TEXTS[1:2], None, 40, TAGS, spans)
    labels = texts[(0, 0)]["labels"]
    assert labels[labels != IGNORE].tolist() == [3, 4, 1, 2, 0, 0]


def test_of_a_pair_the_second_text_is_tagged() -> None:
    bert = train_tokenizer(TEXTS * 20, 300, "bert")
    texts = TaggedTexts(bert, ["red"], ["red shoe"], 40, TAGS, [[Span(0, 3, "colour")]])
    labels = texts[(0, 0)]["labels"]
    assert labels[labels != IGNORE].tolist() == [3, 0]
    assert (labels[: bert("red")["input_ids"].__len__()] == IGNORE).all()


def test_what_is_cut_off_has_no_word() -> None:
    bert = train_tokenizer(TEXTS * 20, 300, "bert")
    texts = TaggedTexts(bert, ["red shoe " * 100, ""], None, 12, TAGS)
    assert texts.lengths[0] == 12
    assert 0 < len(texts.words[0]) <= 10
    assert len(texts.words[1]) == 0
