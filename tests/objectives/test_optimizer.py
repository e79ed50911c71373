import re

import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification

from shopguide.config import OptimizerConfig
from shopguide.models.backbone import layer_stack
from shopguide.objectives.optimizer import configure, parameter_groups, schedule

BERT = {"vocab_size": 40, "hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 8}
SHAPES = {
    "bert": BERT,
    "modernbert": {
        **BERT,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "cls_token_id": 1,
        "sep_token_id": 2,
    },
    "gpt2": {"vocab_size": 40, "n_embd": 8, "n_layer": 3, "n_head": 2, "bos_token_id": 1, "eos_token_id": 1},
    "distilbert": {"vocab_size": 40, "dim": 8, "n_layers": 3, "n_heads": 2, "hidden_dim": 8},
}


def factors(name: str, steps: int = 100, **changes: float) -> list[float]:
    factor = schedule(OptimizerConfig(lr=1.0, schedule=name, warmup_share=0.1, **changes), steps)  # type: ignore[arg-type]
    return [factor(step) for step in range(steps)]


@pytest.mark.parametrize("name", ["linear", "cosine", "wsd", "constant"])
def test_warm_up_is_linear_and_never_starts_at_zero(name: str) -> None:
    assert factors(name)[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])


def test_shapes() -> None:
    assert factors("linear")[55] == pytest.approx(0.5)
    assert factors("cosine")[55] == pytest.approx(0.5)
    assert factors("cosine")[32] == pytest.approx(0.8591, abs=1e-3)
    wsd = factors("wsd", decay_share=0.2)
    assert wsd[10:80] == [1.0] * 70
    assert wsd[90] == pytest.approx(0.5)
    assert factors("constant")[99] == 1.0


@pytest.mark.parametrize("name", ["linear", "cosine", "wsd"])
def test_falls_to_almost_nothing_and_stays_in_range(name: str) -> None:
    assert 0 <= factors(name)[-1] < 0.06
    beyond = schedule(OptimizerConfig(lr=1.0, schedule=name), 10)(25)  # type: ignore[arg-type]
    assert beyond == 0.0


def test_only_matrices_decay_and_frozen_weights_are_left_out() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3), nn.Linear(3, 2))
    model[2].weight.requires_grad_(False)
    decayed, free = parameter_groups(model, OptimizerConfig(lr=1.0, weight_decay=0.1))
    assert [tuple(p.shape) for p in decayed["params"]] == [(3, 4)]
    assert [tuple(p.shape) for p in free["params"]] == [(3,), (3,), (3,), (2,)]
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.1, 0.0)


def test_optimizer_follows_the_schedule() -> None:
    model = nn.Linear(2, 2)
    made = configure(model, OptimizerConfig(lr=0.5, warmup_share=0.5), 4)
    rates = []
    for _ in range(4):
        rates.append(made["optimizer"].param_groups[0]["lr"])
        made["optimizer"].step()
        made["lr_scheduler"]["scheduler"].step()
    assert rates == pytest.approx([0.25, 0.5, 0.5, 0.25])
    assert isinstance(made["optimizer"], torch.optim.AdamW)


@pytest.mark.parametrize("kind", ["bert", "modernbert", "gpt2", "distilbert"])
def test_lower_layers_learn_more_slowly(kind: str) -> None:
    model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(kind, **SHAPES[kind]))
    groups = parameter_groups(model, OptimizerConfig(lr=1.0, layer_decay=0.5))
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert len(rates) == sum(1 for _ in model.parameters())
    by_name = {name: rates[id(p)] for name, p in model.named_parameters()}
    layers = len(layer_stack(model))
    for name, rate in by_name.items():
        number = re.search(r"\.(?:layers?|h)\.(\d+)\.", name)
        if number:
            assert rate == 0.5 ** (layers - int(number.group(1)))
    assert rates[id(model.get_input_embeddings().weight)] == 0.5 ** (layers + 1)
    head = [rate for name, rate in by_name.items() if name.startswith(("classifier", "score", "pre_classifier"))]
    assert head
    assert set(head) == {1.0}
