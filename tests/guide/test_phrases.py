import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopguide.guide.phrases import Phrases

KNOWN = ["what colour is it", "which brand is it", "where is my order", "怎么退货"]


def test_the_same_question_said_a_little_otherwise() -> None:
    phrases = Phrases(KNOWN)
    assert phrases.nearest("What colour is it?") == 0
    assert phrases.nearest("where is my order 12345") == 2
    assert phrases.nearest("怎么退货呢") == 3


def test_another_question_in_the_same_words_but_one() -> None:
    phrases = Phrases(KNOWN)
    assert phrases.nearest("what price is it") is None
    assert phrases.nearest("where is my cat") is None
    assert Phrases([]).nearest("what colour is it") is None


@given(st.text(max_size=20), st.integers(0, 3))
def test_likeness_is_a_share(text: str, place: int) -> None:
    assert 0 <= Phrases(KNOWN).likeness(text, place) < 1.000001
    assert Phrases(KNOWN).likeness(KNOWN[place], place) == pytest.approx(1)
