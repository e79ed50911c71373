import pytest
import torch
from torch import nn
from torch.nn.functional import gelu
from transformers import AutoConfig, AutoModel
from transformers.activations import GELUActivation, GELUTanh

from shopguide.models.activated import keep_once
from shopguide.models.packed import PackedLinear, pack

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch has no oneDNN here")


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 32), (7, 32), (2, 5, 32), (0, 32), (1, 33, 32)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_is_the_layer_that_it_was_made_from(bias: bool, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    dense, states = nn.Linear(32, 48, bias=bias).to(dtype), torch.randn(shape).to(dtype)
    closest = {"rtol": 1e-5, "atol": 1e-5} if dtype is torch.float32 else {"rtol": 1e-2, "atol": 1e-2}
    with torch.inference_mode():
        torch.testing.assert_close(PackedLinear(dense)(states), dense(states), **closest)
        torch.testing.assert_close(PackedLinear(dense, "gelu")(states), gelu(dense(states)), **closest)


def made(family: str) -> nn.Module:
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        family, vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
    )
    return AutoModel.from_config(config).eval()  # type: ignore[no-any-return]


@pytest.mark.parametrize("family", ["bert", "roberta", "electra"])
@pytest.mark.parametrize("trained", [False, True])
def test_a_packed_backbone_gives_the_same_states(family: str, trained: bool) -> None:
    model, ids = made(family), torch.arange(4, 24)[None]
    if trained:
        keep_once(model)
    with torch.inference_mode():
        exact = model(ids).last_hidden_state
        pack(model)
        torch.testing.assert_close(model(ids).last_hidden_state, exact, rtol=1e-4, atol=1e-5)
    kinds = [type(module).__name__ for module in model.encoder.modules()]
    assert kinds.count("PackedLinear") == 12
    assert kinds.count("Identity") == 2
    assert not {"Linear", "ActivatedLinear", "GELUActivation", "TracedGelu"} & set(kinds)


@pytest.mark.parametrize("other", [nn.ReLU(), GELUTanh(), GELUActivation(use_gelu_python=True)], ids=str)
def test_another_activation_stays(other: nn.Module) -> None:
    model = made("bert")
    model.encoder.layer[0].intermediate.intermediate_act_fn = other
    ids = torch.arange(4, 24)[None]
    with torch.inference_mode():
        exact = model(ids).last_hidden_state
        pack(model)
        torch.testing.assert_close(model(ids).last_hidden_state, exact, rtol=1e-4, atol=1e-5)
    assert model.encoder.layer[0].intermediate.intermediate_act_fn is other
