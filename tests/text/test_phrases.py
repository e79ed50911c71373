from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shopguide.text.masking import Masker
from shopguide.text.phrases import longest_phrases
from shopguide.text.segmenter import joining, word_numbers
from shopguide.text.tokenizer import train_tokenizer

PHRASES = {"air max", "max", "air max 90", "登山鞋", "登山", "t恤"}


def found(text: str) -> list[str]:
    return [text[start:end] for start, end in longest_phrases(text, PHRASES)]


def test_the_longest_phrase_of_whole_words() -> None:
    assert found("Nike AIR Max 90, air maximum max") == ["AIR Max 90", "max"]
    assert found("防水登山鞋T恤登山") == ["登山鞋", "T恤", "登山"]
    assert found("") == []


@given(st.lists(st.sampled_from(["air", "max", "90", "登山鞋", " ", "x"]), max_size=12))
def test_phrases_are_apart_and_in_order(parts: list[str]) -> None:
    text = "".join(parts)
    places = list(longest_phrases(text, PHRASES))
    assert all(text[start:end].casefold() in PHRASES for start, end in places)
    assert all(one[1] <= other[0] for one, other in pairwise(places))


def test_a_phrase_is_one_word_of_a_segmenter() -> None:
    text = "new air max 防水登山鞋"
    words = joining(PHRASES, None)(text)
    assert [text[start:end] for start, end in words] == ["new", "air max", "防", "水", "登山鞋"]
    halves = joining(PHRASES, lambda text: [(0, 5), (5, len(text))])(text)
    assert [text[start:end] for start, end in halves] == ["air max", "登山鞋"]


def test_a_phrase_is_masked_whole_or_not_at_all() -> None:
    text = "new air max 防水登山鞋 for a very long walk"
    tokenizer = train_tokenizer([text] * 20, 300, "bert")
    encoding = tokenizer.backend_tokenizer.encode(text)
    numbers = word_numbers(encoding.word_ids, encoding.offsets, joining(PHRASES, None)(text))
    words = np.where([token in tokenizer.all_special_ids for token in encoding.ids], -1, numbers)
    shoe = [i for i, (start, end) in enumerate(encoding.offsets) if text[start:end] in ("登", "山", "鞋")]
    assert len(shoe) == 3
    assert len(set(words[shoe])) == 1
    masker = Masker(tokenizer.mask_token_id, len(tokenizer), frozenset(tokenizer.all_special_ids), 0, probability=0.3)
    masked = [masker(np.array(encoding.ids), words, 0, example)[1][shoe] >= 0 for example in range(50)]
    assert {tuple(row) for row in masked} == {(True, True, True), (False, False, False)}
