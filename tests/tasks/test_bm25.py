import numpy as np

from shopguide.tasks.bm25 import bm25, words

SHOP = ["red hiking boots", "red shoes", "oak chair", "防水登山鞋", ""]


def test_the_text_with_the_rarer_words_comes_first() -> None:
    scores = bm25(SHOP, ["Red boots"] * 5, SHOP)
    assert scores.argsort()[::-1][:2].tolist() == [0, 1]
    assert scores[2:].tolist() == [0, 0, 0]


def test_lucene_s_formula() -> None:
    """idf · f / (f + k1 (1 − b + b · length / mean length)), k1 = 1.5, b = 0.75."""
    lengths = [len(words(text)) for text in SHOP]
    idf = np.log(1 + (5 - 2 + 0.5) / (2 + 0.5))
    expected = [idf / (1 + 1.5 * (0.25 + 0.75 * length / np.mean(lengths))) for length in lengths[:2]]
    np.testing.assert_allclose(bm25(SHOP, ["red", "red"], SHOP[:2]), expected, rtol=1e-5)


def test_chinese_without_spaces_and_what_nothing_is_known_of() -> None:
    assert bm25(SHOP, ["登山"], ["防水登山鞋"])[0] > 0
    assert bm25([], ["登山", ""], ["red shoes", "防水登山鞋"]).tolist() == [0, 0]
