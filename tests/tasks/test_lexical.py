from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from shopguide.tasks import lexical
from shopguide.tasks.labels import encode_labels, label_spaces
from shopguide.tasks.lexical import SETTINGS, Lexical
from shopguide.tasks.task import Examples

WORDS = [f"word{i}" for i in range(60)]


def examples(first: list[str], labels: list[str | None], second: list[str] | None = None) -> Examples:
    return Examples(first=first, second=second, labels={"t": labels}, split=["train"] * len(first), groups=first)


def fitted(train: Examples) -> Lexical:
    spaces = label_spaces(train)
    return Lexical.fit(train, encode_labels(train, spaces), spaces)


def guessed(model: Lexical, train: Examples, asked: Examples) -> list[str]:
    return [label_spaces(train)["t"][i] for i in model.posterior(asked.first, asked.second)["t"].argmax(1)]


PAIRS = examples(WORDS * 2, ["yes"] * 60 + ["no"] * 60, WORDS + WORDS[1:] + WORDS[:1])
CLASSES = examples(["red boots", "hiking boots", "手机壳", "智能手机", "oak chair"] * 6, ["s", "s", "p", "p", "f"] * 6)


def test_words_of_both_languages_are_learnt() -> None:
    model = fitted(CLASSES)
    assert guessed(model, CLASSES, examples(["blue boots", "老人手机", "chair"], [None] * 3)) == ["s", "p", "f"]
    assert model.posterior([])["t"].shape == (0, 3)


def test_it_is_scikit_learns_own_posterior() -> None:
    for train in (CLASSES, examples(CLASSES.first, ["s" if label == "s" else "x" for label in CLASSES.labels["t"]])):
        asked = ["blue boots", "老人手机", "", "👟"]
        made = [TfidfVectorizer(**settings).fit(train.first) for settings in SETTINGS]
        model = LogisticRegression(C=10.0, solver="newton-cg").fit(
            hstack([v.transform(train.first) for v in made]), train.labels["t"]
        )
        expected = model.predict_proba(hstack([v.transform(asked) for v in made]))
        np.testing.assert_allclose(fitted(train).posterior(asked)["t"], expected, atol=1e-4)


def test_pairs_see_whether_the_texts_share_words() -> None:
    asked = examples(["fresh", "fresh"], [None, None], ["a fresh start", "other thing"])
    assert guessed(fitted(PAIRS), PAIRS, asked) == ["yes", "no"]


def test_missing_labels_are_left_out_and_a_class_without_examples_is_never_told() -> None:
    train = examples(["a a", "b b", "c c"] * 5, ["x", "y", None] * 5)
    model = Lexical.fit(train, encode_labels(train, {"t": ["w", "x", "y"]}), {"t": ["w", "x", "y"]})
    posterior = model.posterior(train.first)["t"]
    assert (posterior[:, 0] == 0).all()
    np.testing.assert_allclose(posterior.sum(1), 1, rtol=1e-5)


def test_pruned_and_read_back_it_says_the_same(tmp_path: Path) -> None:
    for train in (CLASSES, PAIRS):
        model = fitted(train)
        every = sum(len(made.vocabulary_) for made in model.vectorizers)
        small = model.pruned(every * 3 // 4)
        assert sum(len(made.vocabulary_) for made in small.vectorizers) == every * 3 // 4
        assert guessed(small, train, train) == guessed(model, train, train)
        small.save(tmp_path)
        before, after = (one.posterior(train.first, train.second)["t"] for one in (small, Lexical.load(tmp_path)))
        np.testing.assert_allclose(before, after, atol=2e-3)


def test_with_many_weights_another_solver_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    train = examples(WORDS * 30, [f"c{i % 3}" for i in range(60)] * 30)
    exact = fitted(train).posterior(WORDS)["t"]
    monkeypatch.setattr(lexical, "MANY_WEIGHTS", 0)
    other = fitted(train).posterior(WORDS)["t"]
    assert (other.argmax(1) == exact.argmax(1)).all()
    np.testing.assert_allclose(other, exact, atol=0.05)
