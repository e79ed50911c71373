from typing import Any

import numpy as np
import pytest

from shopguide.text import examples
from shopguide.text.examples import EncodedTexts
from shopguide.text.tokenizer import train_tokenizer

FIRST = [f"red boot {number}" for number in range(7)]
SECOND = [f"lamp {number % 3}" for number in range(7)]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return train_tokenizer(iter([*FIRST, *SECOND]), 200, "bert")


def test_texts_are_encoded_as_the_tokenizer_does(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "AT_ONCE", 3)
    found, told = EncodedTexts(tokenizer, FIRST, SECOND, 9), tokenizer(FIRST, SECOND, truncation=True, max_length=9)
    for row in range(7):
        example = found[(0, row)]
        for name in ("input_ids", "token_type_ids"):
            assert example[name].tolist() == told[name][row]
    assert found.lengths.tolist() == [len(ids) for ids in told["input_ids"]]
    assert len(EncodedTexts(tokenizer, [], None, 9)) == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 1, 0)], ids=str)
def test_tasks_without_examples_take_nothing_from_the_others(tokenizer: Any, order: tuple[int, ...]) -> None:
    labels = np.arange(7)[:, None]
    every = [
        EncodedTexts(tokenizer, FIRST, SECOND, 16, labels),
        EncodedTexts(tokenizer, [], [], 16, np.zeros((0, 2), dtype=np.int64)),
        EncodedTexts(tokenizer, SECOND, FIRST, 16, labels + 10),
    ]
    parts = [every[number] for number in order]
    whole = EncodedTexts.joined(parts)
    rows = [part[(0, row)] for part in parts for row in range(len(part))]
    assert len(whole) == len(rows)
    for row, own in enumerate(rows):
        for name in ("input_ids", "token_type_ids"):
            assert whole[(0, row)][name].tolist() == own[name].tolist()
    assert whole.labels is not None
    assert whole.labels.max(1).tolist() == [int(own["targets"][0]) for own in rows]


def test_only_empty_tasks(tokenizer: Any) -> None:
    assert len(EncodedTexts.joined([EncodedTexts(tokenizer, [], None, 9)] * 2)) == 0
