import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopguide.text.masking import IGNORE, NO_WORD, Masker


def masker(**changes: object) -> Masker:
    return Masker(**{"mask_id": 4, "vocab_size": 1000, "special_ids": frozenset(range(5)), "seed": 7, **changes})


def example(length: int, word_length: int = 1) -> tuple[np.ndarray, np.ndarray]:
    ids = np.arange(5, 5 + length, dtype=np.int32)
    words = np.repeat(np.arange(length), word_length)[:length].astype(np.int32)
    words[[0, -1]] = NO_WORD
    return ids, words


def test_same_numbers_same_mask_and_each_number_matters() -> None:
    ids, words = example(200)
    first = masker()(ids, words, epoch=3, example=5)
    again = masker()(ids, words, epoch=3, example=5)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    others = [masker(seed=8)(ids, words, 3, 5), masker()(ids, words, 4, 5), masker()(ids, words, 3, 6)]
    assert all(not np.array_equal(first[1], other[1]) for other in others)


@pytest.mark.parametrize("strategy", ["token", "whole_word", "span"])
def test_shares_are_those_of_the_paper(strategy: str) -> None:
    ids, words = example(402, word_length=2)
    draw = masker(strategy=strategy)
    chosen = masked = kept = maskable = 0
    for number in range(300):
        seen, labels = draw(ids, words, 0, number)
        at = labels != IGNORE
        chosen += at.sum()
        maskable += (words != NO_WORD).sum()
        masked += (seen[at] == 4).sum()
        kept += (seen[at] == ids[at]).sum()
    assert chosen / maskable == pytest.approx(0.15, abs=0.005)
    assert masked / chosen == pytest.approx(0.8, abs=0.02)
    assert kept / chosen == pytest.approx(0.1, abs=0.02)


@settings(deadline=None, max_examples=60)
@given(st.integers(3, 80), st.integers(1, 6), st.integers(0, 10**6), st.sampled_from(["token", "whole_word", "span"]))
def test_labels_restore_the_text_and_special_tokens_stay(length: int, word: int, number: int, strategy: str) -> None:
    ids, words = example(length, word)
    seen, labels = masker(strategy=strategy)(ids, words, 0, number)
    at = labels != IGNORE
    assert at.any()
    assert np.array_equal(np.where(at, labels, seen), ids)
    assert not at[words == NO_WORD].any()
    assert not np.isin(seen[at & (seen != 4)], range(5)).any()


@settings(deadline=None, max_examples=40)
@given(st.integers(6, 80), st.integers(2, 5), st.integers(0, 10**6), st.sampled_from(["whole_word", "span"]))
def test_whole_words_are_masked_whole(length: int, word: int, number: int, strategy: str) -> None:
    ids, words = example(length, word)
    _, labels = masker(strategy=strategy)(ids, words, 0, number)
    for own in np.unique(words[words != NO_WORD]):
        assert len(set((labels[words == own] != IGNORE).tolist())) == 1


def test_nothing_to_mask_is_left_alone() -> None:
    ids, words = np.array([2, 3], dtype=np.int32), np.array([NO_WORD, NO_WORD], dtype=np.int32)
    seen, labels = masker()(ids, words, 0, 0)
    assert np.array_equal(seen, ids)
    assert (labels == IGNORE).all()


def test_spans_are_as_long_as_the_paper_draws_them() -> None:
    ids, words = example(4000)
    draw, runs = masker(strategy="span", probability=0.03), []
    for number in range(60):
        at = np.flatnonzero(draw(ids, words, 0, number)[1] != IGNORE)
        runs += [len(run) for run in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1)]
    assert np.mean(runs) == pytest.approx(3.8, rel=0.1)  # as the paper says; the last span of a text may be cut short
    assert max(runs) > 5
    alone = [
        masker(strategy="whole_word", probability=0.03)(ids, words, 0, number)[1] != IGNORE for number in range(20)
    ]
    assert np.mean([(at[1:] & at[:-1]).sum() for at in alone]) < 8
