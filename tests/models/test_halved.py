import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification

from shopguide.models.halved import halved
from shopguide.models.packed import PackedLinear
from shopguide.models.unpadded import runs_unpadded, sequence_logits

FAMILIES = ("bert", "roberta", "electra", "modernbert", "gpt2", "distilbert", "deberta-v2")
SHAPE = {
    "vocab_size": 100,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "pad_token_id": 1,
    "num_labels": 3,
}


def made(family: str) -> nn.Module:
    torch.manual_seed(0)
    config = AutoConfig.for_model(family, **SHAPE)
    return AutoModelForSequenceClassification.from_config(config).eval()  # type: ignore[no-any-return]


def batch() -> dict[str, torch.Tensor | list[int]]:
    lengths = [9, 4, 7]
    mask = torch.tensor([[int(place < length) for place in range(9)] for length in lengths])
    ids = torch.randint(5, 100, (3, 9), generator=torch.Generator().manual_seed(1))
    return {"input_ids": ids * mask + (1 - mask), "attention_mask": mask, "lengths": lengths}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_copy_answers_as_the_model_does_and_leaves_it_alone(family: str) -> None:
    model = made(family)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    with torch.inference_mode():
        exact = sequence_logits(model, batch())
        copy = halved(model)
        assert copy is not None
        assert runs_unpadded(copy) == runs_unpadded(model)
        rough = sequence_logits(copy, batch())
        assert rough.dtype == torch.bfloat16
        assert (rough.float() - exact).abs().max() < 0.02 * exact.abs().max() + 0.02
        assert torch.equal(sequence_logits(model, batch()), exact)
    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch has no oneDNN here")
def test_linear_layers_of_the_copy_are_packed_unless_the_model_looks_into_them() -> None:
    def packed(model: nn.Module) -> int:
        copy = halved(model)
        assert copy is not None
        return sum(type(module) is PackedLinear for module in copy.modules())

    model = made("bert")
    assert packed(model) == 6 * 2 + 1

    class Curious(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, *given: torch.Tensor) -> torch.Tensor:
            assert self.inner.dense.weight.dtype == given[0].dtype
            return self.inner(*given)  # type: ignore[no-any-return]

    for layer in model.bert.encoder.layer:
        layer.output = Curious(layer.output)
    state = model.classifier.weight
    with torch.no_grad():
        state.mul_(1)  # weights that change make another copy
    assert packed(model) == 0


def test_norms_keep_their_weights_and_the_copy_is_kept() -> None:
    model = made("bert")
    copy = halved(model)
    assert copy is not None
    kinds = {type(module).__name__: {p.dtype for p in module.parameters(recurse=False)} for module in copy.modules()}
    assert kinds["LayerNorm"] == {torch.float32}
    assert kinds["Linear"] == kinds["Embedding"] == {torch.bfloat16}
    assert halved(model) is copy


@pytest.mark.parametrize("how", ["in place", "anew"])
def test_weights_that_change_make_another_copy(how: str) -> None:
    model = made("bert")
    first = halved(model)
    weight = model.classifier.weight
    if how == "in place":
        with torch.no_grad():
            weight.mul_(50)
    else:
        model.classifier.weight = nn.Parameter(weight.detach() * 50)
    second = halved(model)
    assert second is not None
    assert second is not first
    assert torch.equal(second.classifier.weight, model.classifier.weight.bfloat16())


def test_a_model_that_does_not_run_in_bfloat16_has_none() -> None:
    class Own(nn.Linear):
        def forward(self, states: torch.Tensor) -> torch.Tensor:
            return super().forward(states.float())

    model = made("bert")
    own = Own(32, 3)
    model.classifier = own
    assert halved(model) is None
