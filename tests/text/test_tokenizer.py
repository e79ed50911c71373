import subprocess
import sys
from pathlib import Path

import pytest

from shopguide.errors import ModelError
from shopguide.text.tokenizer import load_tokenizer, tokenizer_fingerprint, train_tokenizer

TEXTS = ["Trail boot, size 42", "登山鞋 防水 trail", "booting trails: Schöne Stiefel", "iPhone手机壳"] * 5
SCRIPT = """
from shopguide.text.tokenizer import tokenizer_fingerprint, train_tokenizer
texts = ["Trail boot, size 42", "登山鞋 防水 trail", "booting trails: Schöne Stiefel", "iPhone手机壳"] * 5
for size, kind in ((70, "bert"), (300, "gpt2")):
    print(tokenizer_fingerprint(train_tokenizer(texts, size, kind)))
"""


def test_every_process_trains_the_same_one() -> None:
    told = {
        subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
        for _ in range(3)
    }
    assert len(told) == 1


def test_chinese_characters_are_words_and_latin_is_lower_cased() -> None:
    tokenizer = train_tokenizer(TEXTS, 200, "bert")
    assert tokenizer.tokenize("手机壳 TRAIL") == ["手", "机", "壳", "trail"]
    assert tokenizer.tokenize("Schone") == tokenizer.tokenize("schöne")
    ids = tokenizer("登山鞋")["input_ids"]
    assert ids[0] == tokenizer.cls_token_id
    assert ids[-1] == tokenizer.sep_token_id
    assert tokenizer.unk_token_id not in ids


def test_the_vocabulary_has_the_size_asked_for() -> None:
    assert len(train_tokenizer(TEXTS, 70, "bert")) == 70
    assert set(train_tokenizer(TEXTS, 70, "bert").get_vocab().values()) == set(range(70))
    assert len(train_tokenizer(TEXTS, 280, "gpt2")) == 280


def test_bytes_carry_every_text_of_a_decoder() -> None:
    tokenizer = train_tokenizer(TEXTS, 300, "gpt2")
    for text in ("手机壳", "🙂 boots\n", "naïve"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(TEXTS, 90, "bert")
    before = tokenizer_fingerprint(tokenizer)
    tokenizer("a long text", truncation=True, max_length=4)
    tokenizer.save_pretrained(tmp_path)
    assert tokenizer_fingerprint(load_tokenizer(str(tmp_path))) == before


def test_none_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"expected a hub name or a folder with tokenizer files"):
        load_tokenizer(str(tmp_path))
