import pytest
import torch
from transformers import AutoModelForSequenceClassification

from shopguide.models.pooled import answer_dropout, answer_layer, without_answer_layer
from shopguide.models.unpadded import sequence_logits
from tests.models.test_unpadded import SHAPES, batch_of, model_of


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_the_layer_s_answer_to_what_it_sees_is_the_model_s(kind: str) -> None:
    model = model_of(kind, AutoModelForSequenceClassification, num_labels=7)
    model.config.pad_token_id = model.config.pad_token_id or 0  # GPT-2 has none
    batch = batch_of([9, 4, 1, 6], pad=model.config.pad_token_id)
    with torch.no_grad():
        logits = sequence_logits(model, batch)
        with without_answer_layer(model):
            seen = sequence_logits(model, batch)
        assert seen.shape == (4, 32)
        torch.testing.assert_close(answer_layer(model)(seen), logits, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(sequence_logits(model, batch), logits)


@pytest.mark.parametrize(
    ("kind", "setting", "share"),
    [
        ("bert", "classifier_dropout", 0.3),
        ("bert", "hidden_dropout_prob", 0.1),
        ("gpt2", "resid_pdrop", 0.0),
        ("distilbert", "seq_classif_dropout", 0.2),
        ("roberta", "classifier_dropout", 0.4),
    ],
)
def test_dropout_before_the_layer(kind: str, setting: str, share: float) -> None:
    model = model_of(kind, AutoModelForSequenceClassification, num_labels=7, **{setting: share})
    assert answer_dropout(model) == share


def test_the_layer_is_put_back_after_an_error() -> None:
    model = model_of("bert", AutoModelForSequenceClassification, num_labels=7)
    layer = answer_layer(model)
    with pytest.raises(KeyError), without_answer_layer(model):
        raise KeyError
    assert answer_layer(model) is layer
