from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import AutoConfig, AutoModelForMaskedLM

from shopguide.config import OptimizerConfig
from shopguide.errors import ConfigError
from shopguide.models.unpadded import padded_inputs
from shopguide.objectives.prompting import Prompting, word_logits
from shopguide.text.prompt import Prompt
from shopguide.text.tokenizer import train_tokenizer
from tests.conftest import TINY

MASK_ID = 4


def batch() -> dict[str, Any]:
    ids = torch.tensor([[2, 7, MASK_ID, 9, 3, 0], [2, MASK_ID, 8, MASK_ID, 9, 3]])
    mask = (ids != 0).long()
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "lengths": mask.sum(1).tolist(),
        "targets": torch.tensor([[1], [0]]),
    }


def test_the_class_is_the_word_at_the_first_mask() -> None:
    torch.manual_seed(0)
    model = AutoModelForMaskedLM.from_config(AutoConfig.for_model(**TINY, vocab_size=50)).eval()
    whole = model(**padded_inputs(batch())).logits
    expected = torch.stack([whole[0, 2, [11, 12, 13]], whole[1, 1, [11, 12, 13]]])
    torch.testing.assert_close(word_logits(model, batch(), MASK_ID, [11, 12, 13]), expected, rtol=1e-4, atol=1e-5)
    objective = Prompting(model, OptimizerConfig(lr=1e-3), [1, 1, 1], MASK_ID, [11, 12, 13])
    torch.testing.assert_close(objective.loss(batch()), cross_entropy(expected, torch.tensor([1, 0])))


def test_a_text_becomes_a_gap() -> None:
    tokenizer = train_tokenizer(["很好 很差 good bad"] * 9, 200, "bert")
    prompt = Prompt.from_plain({"template": "很[MASK]。{text}！", "words": {"Positive": "好", "Negative": "差"}})
    assert prompt.asked(tokenizer, ["快", "a [MASK] b"]) == ["很[MASK]。快！", "很[MASK]。a   b！"]
    assert Prompt.from_plain(prompt.plain()) == prompt
    words = prompt.word_ids(tokenizer, ["Negative", "Positive"])
    assert tokenizer.convert_ids_to_tokens(words) == ["差", "好"]


@pytest.mark.parametrize("template", ["{text} [MASK]", "[MASK]", "{text}", ""])
def test_a_template_needs_a_gap_before_the_text(template: str) -> None:
    with pytest.raises(ConfigError, match=r"expected \[MASK\] and, after it, \{text\}"):
        Prompt.from_plain({"template": template})


@pytest.mark.parametrize("words", [{"a": "很好"}, {"a": "好", "b": "好"}, {"a": "龘"}])
def test_a_word_is_one_token_of_its_own(words: dict[str, str]) -> None:
    tokenizer = train_tokenizer(["很好 很差 a b"] * 9, 200, "bert")
    with pytest.raises(ConfigError, match=r"expected one token that no other class has, found"):
        Prompt("[MASK]{text}", words).word_ids(tokenizer, ["a", "b"])


def test_a_word_of_no_class() -> None:
    with pytest.raises(ConfigError, match=r"expected words of the classes a, b; found Positive"):
        Prompt("[MASK]{text}", {"Positive": "好"}).word_ids(None, ["a", "b"])
