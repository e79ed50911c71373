from hypothesis import given
from hypothesis import strategies as st

from shopguide.text.words import first_tokens, terms, word_ranges


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in word_ranges(text)]


def test_words_of_every_script() -> None:
    assert cut("Nike 42码, 红色T恤") == ["Nike", "42", "码", ",", "红", "色", "T", "恤"]
    assert cut("naïve ＡＢ１ かな 👟👟") == ["naïve", "ＡＢ１", "か", "な", "👟", "👟"]
    assert cut("أحمر") == ["أحمر"]
    assert cut(" \t\n") == cut("") == []


@given(st.text())
def test_words_are_in_order_apart_and_leave_only_blanks_out(text: str) -> None:
    ranges = word_ranges(text)
    assert (ranges[:, 0] < ranges[:, 1]).all()
    assert (ranges[:-1, 1] <= ranges[1:, 0]).all()
    left = list(text)
    for start, end in ranges:
        left[start:end] = " " * (end - start)
    assert not "".join(left).strip()


def test_the_first_token_speaks_for_a_word() -> None:
    words = word_ranges("redder 手机 x")
    offsets = [(0, 0), (0, 3), (3, 6), (7, 9), (10, 11), (0, 0)]  # one token for both characters
    chosen, places = first_tokens(words, offsets)
    assert chosen.tolist() == [0, 1, 3]
    assert places.tolist() == [1, 3, 4]


def test_tokens_that_carry_the_blank_before_them() -> None:
    chosen, places = first_tokens(word_ranges("a bc"), [(0, 1), (1, 4)])
    assert (chosen.tolist(), places.tolist()) == ([0, 1], [0, 1])


def test_no_words_or_no_tokens() -> None:
    for words, offsets in ((word_ranges(""), [(0, 1)]), (word_ranges("a"), []), (word_ranges("a"), [(0, 0)])):
        assert [part.tolist() for part in first_tokens(words, offsets)] == [[], []]


def test_terms() -> None:
    assert terms("Red 手机壳") == ["red", "手", "机", "壳", "手机", "机壳"]
    assert terms("手 机") == ["手", "机"]
