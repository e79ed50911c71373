import pickle
from pathlib import Path

import numpy as np
import pytest

from shopguide.errors import DataError
from shopguide.text.corpus import tokenised_corpus
from shopguide.text.masking import NO_WORD
from shopguide.text.segmenter import make_segmenter, word_numbers
from shopguide.text.tokenizer import tokenizer_fingerprint, train_tokenizer

TEXTS = ["防水 登山鞋 for long hikes", "red running shoes", "手机 5G 智能手机", "waterproof hiking boots"] * 5


@pytest.fixture(scope="module")
def tokenizer() -> object:
    return train_tokenizer(TEXTS, 300, "bert")


def corpus(tokenizer: object, folder: Path, documents: object = None, **changes: object) -> object:
    settings = {"max_length": 16, "held_out": 0.2, "segmenter": None, "identity": {"data": "x"}, **changes}
    return tokenised_corpus(documents or [[t] for t in TEXTS], tokenizer, cache_dir=folder, **settings)


def test_holds_every_token_in_order(tokenizer: object, tmp_path: Path) -> None:
    found = corpus(tokenizer, tmp_path)
    expected = [tokenizer(t)["input_ids"] for i, t in enumerate(TEXTS) if i % 5 != 4]
    assert [found.train[i][0].tolist() for i in range(len(found.train))] == expected
    assert len(found.held_out) == 4
    assert found.tokens == sum(map(len, expected))
    assert found.train.lengths.tolist() == [len(row) for row in expected]


def test_another_process_is_handed_the_file_not_its_contents(tokenizer: object, tmp_path: Path) -> None:
    found = corpus(tokenizer, tmp_path).train
    sent = pickle.dumps(found)
    assert len(sent) < 1000
    again = pickle.loads(sent)
    assert len(again) == len(found) == 16
    assert all((again[row][0] == found[row][0]).all() for row in range(16))


def test_second_time_is_read_from_disk_without_the_documents(tokenizer: object, tmp_path: Path) -> None:
    first = corpus(tokenizer, tmp_path)

    def forbidden() -> object:
        raise AssertionError("the documents were read again")
        yield

    second = corpus(tokenizer, tmp_path, forbidden())
    assert (first.cached, second.cached) == (False, True)
    assert first.fingerprint == second.fingerprint


def test_fingerprint_follows_each_choice(tokenizer: object, tmp_path: Path) -> None:
    other = train_tokenizer(TEXTS, 50, "bert")
    prints = {
        corpus(tokenizer, tmp_path).fingerprint,
        corpus(tokenizer, tmp_path, max_length=8).fingerprint,
        corpus(tokenizer, tmp_path, identity={"data": "y"}).fingerprint,
        corpus(other, tmp_path).fingerprint,
    }
    assert len(prints) == 4
    assert tokenizer_fingerprint(tokenizer) != tokenizer_fingerprint(other)


def test_long_documents_become_several_sequences(tokenizer: object, tmp_path: Path) -> None:
    long = " ".join(["shoes"] * 50)
    found = corpus(tokenizer, tmp_path, [[long]], held_out=0.0, max_length=12)
    assert (found.train.lengths <= 12).all()
    shoes = tokenizer("shoes")["input_ids"][1]
    assert sum((found.train[i][0] == shoes).sum() for i in range(len(found.train))) == 50


def test_segments_are_joined_by_a_separator_that_is_never_masked(tokenizer: object, tmp_path: Path) -> None:
    found = corpus(tokenizer, tmp_path, [["red", "running shoes"]], held_out=0.0)
    ids, words = found.train[0]
    assert (ids == tokenizer.sep_token_id).sum() == 2
    assert (words[np.isin(ids, tokenizer.all_special_ids)] == NO_WORD).all()


def test_an_interrupted_write_leaves_nothing_to_be_found(tokenizer: object, tmp_path: Path) -> None:
    def breaks() -> object:
        yield ["red"]
        raise RuntimeError("cut")

    with pytest.raises(RuntimeError, match="cut"):
        corpus(tokenizer, tmp_path, breaks())
    assert not list(tmp_path.rglob("*.arrow"))
    assert corpus(tokenizer, tmp_path).cached is False


def test_no_text_is_told(tokenizer: object, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found none"):
        corpus(tokenizer, tmp_path, [[""]])


def test_chinese_words_are_whole_with_a_segmenter() -> None:
    pytest.importorskip("jieba")
    segment = make_segmenter("jieba")
    assert segment is not None
    text = "智能手机red"
    spans = segment(text)
    assert [text[a:b] for a, b in spans] == ["智能手机", "red"]
    characters = [(i, i + 1) for i in range(4)] + [(4, 7)]
    words = word_numbers([None, 0, 1, 2, 3, 4, None], [(0, 0), *characters, (0, 0)], spans)
    assert words.tolist() == [-1, 0, 0, 0, 0, 1, -1]


@pytest.mark.parametrize("segmenter", [None, "jieba"])
def test_tokens_and_words_are_those_of_a_plain_call(tokenizer: object, tmp_path: Path, segmenter: str | None) -> None:
    if segmenter:
        pytest.importorskip(segmenter)
    cut = make_segmenter(segmenter)
    texts = [*TEXTS, "智能手机 waterproof " * 9]
    found = corpus(tokenizer, tmp_path, [[t] for t in texts], held_out=0.0, max_length=9, segmenter=cut)
    row = 0
    for text in texts:
        for piece in tokenizer(text, truncation=True, max_length=9, return_overflowing_tokens=True).encodings:
            ids, words = found.train[row]
            own = [NO_WORD if word is None else word for word in piece.word_ids]
            assert ids.tolist() == piece.ids
            expected = word_numbers(piece.word_ids, piece.offsets, cut(text)).tolist() if cut else own
            special = np.isin(piece.ids, tokenizer.all_special_ids)
            assert words.tolist() == np.where(special, NO_WORD, expected).tolist()
            row += 1
    assert row == len(found.train)


def test_the_tokenizer_is_left_as_it_was(tokenizer: object, tmp_path: Path) -> None:
    tokenizer(["red shoes"], truncation=True, max_length=3, padding="max_length")
    before = tokenizer.backend_tokenizer.truncation, tokenizer.backend_tokenizer.padding
    corpus(tokenizer, tmp_path)
    assert (tokenizer.backend_tokenizer.truncation, tokenizer.backend_tokenizer.padding) == before
