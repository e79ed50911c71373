from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import AutoConfig, AutoModelForTokenClassification

from shopguide.config import OptimizerConfig
from shopguide.models.unpadded import padded_inputs
from shopguide.objectives.tagging import Tagging

SHAPE = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "pad_token_id": 0,
    "num_labels": 5,
}
ADAMW = OptimizerConfig(lr=1e-3)


def tagger() -> torch.nn.Module:
    torch.manual_seed(0)
    return AutoModelForTokenClassification.from_config(AutoConfig.for_model("bert", **SHAPE)).eval()


def batch(tags: list[list[int]]) -> dict[str, Any]:
    labels = torch.tensor(tags)
    ids = torch.randint(5, 50, labels.shape, generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels, "lengths": mask.sum(1).tolist()}


TAGGED = [[-100, 0, 1, 2, -100, 0], [-100, 3, 4, 4, 0, -100]]


def test_the_loss_is_that_of_transformers() -> None:
    model, inputs = tagger(), batch(TAGGED)
    own = Tagging(model, ADAMW, [[4, 1, 1, 1, 2]]).loss(inputs)
    torch.testing.assert_close(own, model(**padded_inputs(inputs), labels=inputs["labels"]).loss)


def test_label_smoothing_and_r_drop_are_those_of_a_classifier_of_words() -> None:
    model, inputs = tagger(), batch(TAGGED)
    known = inputs["labels"] != -100
    logits = model(**padded_inputs(inputs)).logits[known]
    expected = cross_entropy(logits, inputs["labels"][known], label_smoothing=0.1)
    for r_drop in (0.0, 3.0):  # without dropout two runs agree
        own = Tagging(model, ADAMW, [[4, 1, 1, 1, 2]], label_smoothing=0.1, r_drop=r_drop).loss(inputs)
        torch.testing.assert_close(own, expected)


def test_dev_metrics_are_of_spans(monkeypatch: Any) -> None:
    """Outputs that are sure of given tags: one of two spans right, one found too many."""
    module = Tagging(tagger(), ADAMW, [[4, 1, 1, 1, 2]])
    guess = torch.tensor([[0, 0, 1, 2, 0, 0], [0, 3, 4, 0, 1, 0]])
    logged: dict[str, float] = {}
    monkeypatch.setattr(module, "log", lambda name, value, **_: logged.update({name: float(value)}))

    def sure(inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        known = inputs["labels"] != -100
        return torch.nn.functional.one_hot(guess[known], 5).float() * 9, inputs["labels"][known][:, None]

    monkeypatch.setattr(module, "outputs", sure)
    module.on_validation_epoch_start()
    module.validation_step(batch(TAGGED), 0)
    module.on_validation_epoch_end()
    assert logged["dev/precision"] == 1 / 3
    assert logged["dev/recall"] == 1 / 2
    assert logged["dev/f1"] == 0.4
