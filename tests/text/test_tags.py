from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopguide.text.tags import MISSING, Span, Tags, decoded, viterbi
from shopguide.text.words import word_ranges

TAGS = Tags(("brand", "colour"))


def allowed(path: tuple[int, ...]) -> bool:
    """By the names of the tags: I-x only after B-x or I-x."""
    names = ["O", *(TAGS.names[tag] for tag in path)]
    return all(not b.startswith("I-") or a in (b, f"B-{b[2:]}") for a, b in pairwise(names))


def test_the_tags_of_a_text() -> None:
    text = "red Nike shoe nike"
    spans = [Span(0, 3, "colour"), Span(4, 13, "brand")]
    tags = TAGS.encode(word_ranges(text), spans)
    assert [TAGS.names[tag] for tag in tags] == ["B-colour", "B-brand", "I-brand", "O"]
    assert TAGS.decode(word_ranges(text), tags) == [(spans[0], 0, 1), (spans[1], 1, 3)]


def test_spans_within_words_and_of_unknown_labels() -> None:
    words = word_ranges("aab bcc dd")
    tags = TAGS.encode(words, [Span(0, 2, "brand"), Span(2, 5, "colour"), Span(8, 10, "size")])
    assert tags.tolist() == [1, 3, MISSING]


spans_of = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 4), st.sampled_from(TAGS.labels)), max_size=5)


@given(spans_of)
def test_spans_of_whole_words_come_back(drawn: list[tuple[int, int, str]]) -> None:
    words = word_ranges("词 " * 24)
    spans: list[Span] = []
    for first, count, label in sorted(drawn):
        start, end = int(words[first, 0]), int(words[first + count - 1, 1])
        if not spans or spans[-1].end < start:
            spans.append(Span(start, end, label))
    assert [span for span, _, _ in TAGS.decode(words, TAGS.encode(words, spans))] == spans


@pytest.mark.parametrize("seed", range(20))
def test_viterbi_is_the_best_of_all_allowed_sequences(seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(3, 4, len(TAGS)))
    for row, found in zip(scores, viterbi(scores), strict=True):
        every = [path for path in product(range(len(TAGS)), repeat=4) if allowed(path)]
        best = max(every, key=lambda path: sum(row[i, tag] for i, tag in enumerate(path)))
        assert tuple(found) == best


@given(st.lists(st.integers(0, 6), max_size=6), st.integers(0, 99))
def test_texts_of_any_lengths_are_decoded_alone(counts: list[int], seed: int) -> None:
    posterior = np.random.default_rng(seed).dirichlet(np.ones(len(TAGS)), sum(counts)).reshape(-1, len(TAGS))
    together = decoded(posterior, counts)
    parts = np.split(posterior, np.cumsum(counts)[:-1]) if counts else []
    assert [len(path) for path in together] == counts
    for path, part, count in zip(together, parts, counts, strict=True):
        assert allowed(tuple(path))
        assert path.tolist() == decoded(part, [count])[0].tolist()


def test_an_impossible_posterior_still_gives_spans() -> None:
    """Sure of I- everywhere: it begins with B-."""
    posterior = np.eye(len(TAGS))[[2, 2, 4]]
    assert [TAGS.names[tag] for tag in decoded(posterior, [3])[0]] in (
        ["B-brand", "I-brand", "O"],
        ["B-brand", "I-brand", "B-colour"],
        ["B-brand", "I-brand", "I-brand"],
    )
