import pytest
import torch
from transformers import AutoConfig, AutoModelForMaskedLM, AutoModelForSequenceClassification

from shopguide.models.flops import forward_cost, measured_peak

SIZES = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 90}


@pytest.mark.parametrize(("kind", "layers"), [("bert", 3), ("albert", 3)])
def test_cost_is_that_of_the_matrices_however_often_they_are_used(kind: str, layers: int) -> None:
    sizes = SIZES | ({"embedding_size": 32} if kind == "albert" else {})
    model = AutoModelForMaskedLM.from_config(AutoConfig.for_model(kind, **sizes))
    cost = forward_cost(model)
    width, inner, words = 32, 64, 90
    projected = 2 * width * width if kind == "albert" else 0  # of embeddings to the width of the layers
    assert cost.per_token == layers * 2 * (4 * width**2 + 2 * width * inner) + projected
    assert cost.per_pair == layers * 2 * 2 * width
    assert cost.per_document == 0
    assert cost.per_position == 2 * (width * width + width * words)
    assert cost.of_step([3, 5], 2) == 3 * (8 * cost.per_token + 34 * cost.per_pair + 2 * cost.per_position)


def test_a_classifiers_head_is_paid_for_once_a_document() -> None:
    model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model("bert", num_labels=7, **SIZES)).train()
    threads = torch.get_num_threads()
    cost = forward_cost(model)
    assert torch.get_num_threads() == threads
    assert cost.per_document == 2 * (32 * 32 + 32 * 7)  # pooler and head
    assert cost.per_position == 0
    assert model.training


def test_the_peak_is_positive_and_finite() -> None:
    assert 1e8 < measured_peak(torch.device("cpu"), torch.float32) < 1e15
