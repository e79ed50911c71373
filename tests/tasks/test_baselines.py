import numpy as np

from shopguide.tasks.baselines import majority, tfidf_logistic_regression
from shopguide.tasks.labels import encode_labels, label_spaces
from shopguide.tasks.task import Examples


def examples(first: list[str], labels: list[str | None], second: list[str] | None = None) -> Examples:
    return Examples(
        ids=first, first=first, second=second, labels={"t": labels}, split=["train"] * len(first), groups=first
    )


def test_majority_gives_the_training_shares() -> None:
    labels = np.array([[0], [0], [1], [-100]])
    np.testing.assert_allclose(majority(labels, {"t": ["a", "b"]}, 2)["t"], [[2 / 3, 1 / 3]] * 2)


def test_tfidf_learns_words_in_both_languages() -> None:
    train = examples(["red boots", "hiking boots", "手机壳", "智能手机"] * 6, ["shoe", "shoe", "phone", "phone"] * 6)
    spaces = label_spaces(train)
    posterior = tfidf_logistic_regression(
        train, encode_labels(train, spaces), spaces, examples(["blue boots", "老人手机"], [None, None])
    )
    assert [spaces["t"][i] for i in posterior["t"].argmax(1)] == ["shoe", "phone"]
    np.testing.assert_allclose(posterior["t"].sum(1), 1)


def test_pairs_see_whether_the_texts_share_words() -> None:
    words = [f"word{i}" for i in range(60)]
    train = examples(words * 2, ["yes"] * 60 + ["no"] * 60, words + words[1:] + words[:1])
    spaces = label_spaces(train)
    asked = examples(["fresh", "fresh"], [None, None], ["a fresh start", "other thing"])
    posterior = tfidf_logistic_regression(train, encode_labels(train, spaces), spaces, asked)
    assert [spaces["t"][i] for i in posterior["t"].argmax(1)] == ["yes", "no"]


def test_missing_labels_are_left_out() -> None:
    train = examples(["a a", "b b", "c c"] * 5, ["x", "y", None] * 5)
    spaces = label_spaces(train)
    posterior = tfidf_logistic_regression(train, encode_labels(train, spaces), spaces, train)
    assert posterior["t"].shape == (15, 2)
