from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopguide.text import encoding
from shopguide.text.encoding import ChunkEncoder, LibraryEncoder, Sequences, text_encoder
from shopguide.text.segmenter import word_ranges
from shopguide.text.tokenizer import train_tokenizer

TEXTS = ["防水 登山鞋 for long hikes", "red running shoes, it's 5G", "手机 智能手机", "Café-naïve hiking boots"] * 5
ODD = ["", " ", "  red  shoes ", "red\tshoes\nboots", "[SEP]", "red[MASK] [MASK]shoes", "a [PAD] b", "x[PAD]y [UNK]"]
ODD += ["e\u0301 \u0301x", "a" * 120 + " red", "\x1fred\x00 shoes\u3000boots", "İstanbul ΣΑΣ", "shoes " * 40]
FIELDS = ("ids", "words", "lengths", "owners")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return train_tokenizer(TEXTS, 300, "bert")


def both(tokenizer: Any, texts: list[str], max_length: int = 12) -> tuple[Sequences, Sequences]:
    encoders = ChunkEncoder(tokenizer, max_length), LibraryEncoder(tokenizer, max_length, None)
    ours, theirs = (encoder.finish(texts, encoder.begin(texts)) for encoder in encoders)
    return ours, theirs


def assert_equal(ours: Sequences, theirs: Sequences) -> None:
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(ours, field), getattr(theirs, field), err_msg=field)


@pytest.mark.parametrize("max_length", [3, 12, 128])
def test_chunks_are_tokenised_as_the_whole_text_is(tokenizer: Any, max_length: int) -> None:
    assert_equal(*both(tokenizer, TEXTS + ODD, max_length))


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(
        st.text(alphabet=st.one_of(st.sampled_from(" 鞋aé-.'\n#"), st.characters(codec="utf-8"))), min_size=1
    )
)
def test_any_text_is_tokenised_as_the_library_does(tokenizer: Any, texts: list[str]) -> None:
    assert_equal(*both(tokenizer, texts, 7))


def test_ids_are_those_of_the_transformers_tokenizer(tokenizer: Any) -> None:
    found, _ = both(tokenizer, TEXTS, 64)
    rows = np.split(found.ids, np.cumsum(found.lengths)[:-1])
    assert [row.tolist() for row in rows] == tokenizer(TEXTS)["input_ids"]


def test_words_known_before_are_taken_from_there(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = ChunkEncoder(tokenizer, 16)
    first = encoder.begin(TEXTS)
    asked: list[str] = []
    monkeypatch.setattr(encoder, "_encode", lambda texts, special: asked.extend(texts) or [])
    assert_equal(encoder.begin(TEXTS), first)
    assert not asked


def test_forgets_before_it_holds_too_much(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "KEPT_TOKENS", 20)
    encoder = ChunkEncoder(tokenizer, 16)
    for texts in (TEXTS, ODD, TEXTS, ["red boots"]):
        assert_equal(
            encoder.begin(texts), LibraryEncoder(tokenizer, 16, None).finish(texts, _library(tokenizer, texts))
        )
    assert len(encoder._numbers) == 2


def _library(tokenizer: Any, texts: list[str]) -> Any:
    return LibraryEncoder(tokenizer, 16, None).begin(texts)


def test_the_tokenizer_is_left_as_it_was(tokenizer: Any) -> None:
    backend = tokenizer.backend_tokenizer
    backend.enable_truncation(5)
    backend.enable_padding(length=5)
    both(tokenizer, TEXTS)
    assert (backend.truncation["max_length"], backend.padding["length"]) == (5, 5)
    backend.no_truncation()
    backend.no_padding()


def test_other_tokenizers_go_through_the_library(tokenizer: Any) -> None:
    assert isinstance(text_encoder(tokenizer, 16, None), ChunkEncoder)
    assert isinstance(text_encoder(tokenizer, 16, lambda text: [tuple(r) for r in word_ranges(text)]), LibraryEncoder)
    assert isinstance(text_encoder(train_tokenizer(TEXTS, 300, "gpt2"), 16, None), LibraryEncoder)
    spaced = train_tokenizer(TEXTS, 300, "bert")
    spaced.add_tokens(["red shoes"])
    assert isinstance(text_encoder(spaced, 16, None), LibraryEncoder)
    for odd in ("\n", "red\u00a0shoes"):
        other = train_tokenizer(TEXTS, 300, "bert")
        other.add_tokens([odd])
        assert isinstance(text_encoder(other, 16, None), LibraryEncoder), odd
    as_text = train_tokenizer(TEXTS, 300, "bert")
    as_text.backend_tokenizer.encode_special_tokens = True
    assert isinstance(text_encoder(as_text, 16, None), LibraryEncoder)
    no_padding = train_tokenizer(TEXTS, 300, "bert")
    no_padding.pad_token = no_padding.unk_token
    assert isinstance(text_encoder(no_padding, 16, None), LibraryEncoder)


@settings(max_examples=100, deadline=None)
@given(
    parts=st.lists(st.sampled_from(["][", "]", "x", "[PAD]", "[SEP]", "[MASK]", "RED", "red", " ", "-"]), min_size=1)
)
def test_added_and_special_tokens_are_found_as_the_library_finds_them(parts: list[str]) -> None:
    tokenizer = train_tokenizer(TEXTS, 300, "bert")
    tokenizer.add_tokens(["][", "red-"])
    assert_equal(*both(tokenizer, ["".join(parts), "x] red"], 9))


def test_sequences_of_some_texts(tokenizer: Any) -> None:
    found, _ = both(tokenizer, TEXTS[:4], 5)
    chosen = np.array([False, True, False, True])
    expected = [both(tokenizer, [TEXTS[row]], 5)[0] for row in (1, 3)]
    assert found.of(chosen).ids.tolist() == [i for part in expected for i in part.ids.tolist()]
    assert set(found.of(chosen).owners.tolist()) == {1, 3}
