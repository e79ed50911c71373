import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM

from shopguide.models.head import output_layer, states_at
from shopguide.models.unpadded import logits_at
from tests.models.test_unpadded import COMMON, SHAPES, batch_of, model_of, places_of


@pytest.mark.parametrize("kind", SHAPES)
def test_the_last_layer_of_what_it_sees_is_the_logits(kind: str) -> None:
    model, batch = model_of(kind), batch_of([7, 3, 12], pad=SHAPES[kind].get("pad_token_id", 0))
    chosen = places_of(batch["attention_mask"].bool() & (torch.arange(12) % 3 == 0))
    logits = logits_at(model, batch, chosen)
    layer = output_layer(model)
    assert layer is not None
    assert layer is output_layer(model)
    states = states_at(model, batch, chosen)
    assert states.shape == (len(chosen), layer.in_features)
    torch.testing.assert_close(layer(states), logits)
    torch.testing.assert_close(logits_at(model, batch, chosen), logits, rtol=0, atol=0)
    states.sum().backward()
    assert model.base_model.get_input_embeddings().weight.grad.any()


def test_the_layer_works_on_one_position_only() -> None:
    model, batch = model_of("bert"), batch_of([7, 3, 12])
    layer, seen = output_layer(model), []
    assert layer is not None
    layer.register_forward_hook(lambda _layer, given, _out: seen.append(given[0].shape[-2]))
    states_at(model, batch, places_of(batch["attention_mask"]))
    assert seen == [1]


def test_logits_that_are_made_in_another_way_have_no_layer() -> None:
    shape = {**COMMON, "num_key_value_heads": 1, "head_dim": 16, "final_logit_softcapping": 0.5}
    SHAPES["gemma2"] = shape
    try:
        model = model_of("gemma2", AutoModelForCausalLM)
    finally:
        del SHAPES["gemma2"]
    assert isinstance(model.get_output_embeddings(), nn.Linear)
    assert output_layer(model) is None


def test_a_head_that_does_not_call_its_layer_has_none() -> None:
    SHAPES["mobilebert"] = {**COMMON, "embedding_size": 16, "intra_bottleneck_size": 16}
    try:
        model = model_of("mobilebert")
    finally:
        del SHAPES["mobilebert"]
    assert isinstance(model.get_output_embeddings(), nn.Linear)
    assert output_layer(model) is None


def test_weights_that_are_elsewhere_have_no_layer() -> None:
    model = model_of("gpt2")
    model.lm_head.weight = nn.Parameter(torch.zeros(0))
    assert output_layer(model) is None
