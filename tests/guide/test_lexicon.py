import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopguide.guide.lexicon import Lexicon
from shopguide.tasks.bm25 import bm25

TEXTS = ["red cotton dress", "blue silk dress", "black smartphone 手机", "手机壳 红色", "running shoes", ""]


def test_scores_are_bm25s() -> None:
    lexicon = Lexicon(TEXTS)
    expected = bm25(TEXTS, ["red dress"] * len(TEXTS), TEXTS)
    own = lexicon.scores("red dress")
    assert np.argsort(-own, kind="stable").tolist()[:2] == np.argsort(-expected, kind="stable").tolist()[:2] == [0, 1]
    assert (own > 0).tolist() == (expected > 0).tolist()


def test_words_without_spaces_are_found_in_their_order() -> None:
    scores = Lexicon(["机手", "手机"]).scores("买手机")
    assert scores[1] > scores[0] > 0


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("dres", "dress"), ("drses", "dress"), ("dreess", "dress"), ("smrtphnoe", "smartphone"),
        ("runing SHOSE", "running shoes"),
        ("red dress", "red dress"), ("rde", "rde"), ("手鸡", "手鸡"), ("xylophone", "xylophone"), ("", ""),
    ],
)  # fmt: skip
def test_misspelt_words(typed: str, meant: str) -> None:
    assert Lexicon(TEXTS).mended(typed) == meant


def test_of_words_equally_near_the_frequent_one_is_meant() -> None:
    assert Lexicon(["bold", "bolt ring", "bolt chain"]).mended("bols") == "bolt"


def test_the_first_letter_is_right() -> None:
    assert Lexicon(["cover", "ground", "phone"]).mended("over around iphone") == "over around iphone"


@given(st.text(max_size=30))
def test_any_text_has_finite_scores(query: str) -> None:
    lexicon = Lexicon(TEXTS)
    assert np.isfinite(lexicon.scores(lexicon.mended(query))).all()


def test_nothing_in_nothing() -> None:
    assert Lexicon([]).scores("a").shape == (0,)
    assert Lexicon(["", " "]).scores("a").tolist() == [0, 0]


def test_only_words_of_letters_are_mended() -> None:
    lexicon = Lexicon(["iphone15 leather case", "phone charger", "nike 运动鞋"])
    assert lexicon.mended("iphone15 case iphone") == "iphone15 case iphone"
    assert lexicon.mended("nikee运动鞋") == "nike运动鞋"
    assert lexicon.mended("leathr " * 7) == "leather " * 5 + "leathr " * 2
