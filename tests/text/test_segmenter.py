import sys

import pytest

from shopguide.errors import ConfigError
from shopguide.text.segmenter import make_segmenter, word_numbers


def test_none_is_no_segmenter() -> None:
    assert make_segmenter(None) is None


def test_characters_of_one_segment_are_one_word() -> None:
    words, offsets = [None, 0, 1, 2, None], [(0, 0), (0, 1), (1, 2), (2, 3), (0, 0)]
    assert word_numbers(words, offsets, [(0, 2), (2, 3)]).tolist() == [-1, 0, 0, 1, -1]


def test_a_tokenizers_word_across_a_border_stays_whole() -> None:
    words, offsets = [0, 0, 1], [(0, 2), (2, 4), (4, 5)]
    assert word_numbers(words, offsets, [(0, 3), (3, 5)]).tolist() == [0, 0, 1]
    assert word_numbers(words, offsets, [(0, 1), (1, 3), (3, 5)]).tolist() == [0, 0, 2]


def test_jieba_finds_chinese_words() -> None:
    pytest.importorskip("jieba")
    segment = make_segmenter("jieba")
    assert segment is not None
    text = "防水登山鞋 trail"
    spans = segment(text)
    assert "".join(text[start:end] for start, end in spans) == text
    assert "登山鞋" in [text[start:end] for start, end in spans]


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(ConfigError, match=r"pip install 'shopguide\[zh\]'"):
        make_segmenter("jieba")
