import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM

from shopguide.models.selected_positions import logits_at

COMMON = {
    "vocab_size": 99,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "pad_token_id": 0,
}
SHAPES = {
    "bert": COMMON,
    "roberta": COMMON,
    "electra": COMMON,
    "albert": COMMON,
    "modernbert": {**COMMON, "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2},
    "distilbert": {"vocab_size": 99, "dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64, "pad_token_id": 0},
    "gpt2": {"vocab_size": 99, "n_embd": 32, "n_layer": 2, "n_head": 2, "bos_token_id": 1, "eos_token_id": 1},
}


@pytest.mark.parametrize("kind", SHAPES)
def test_equals_the_head_over_all_positions(kind: str) -> None:
    torch.manual_seed(0)
    cls = AutoModelForCausalLM if kind == "gpt2" else AutoModelForMaskedLM
    model = cls.from_config(AutoConfig.for_model(kind, **SHAPES[kind])).eval()
    ids, mask = torch.randint(5, 99, (3, 10)), torch.ones(3, 10, dtype=torch.long)
    mask[0, 7:] = 0
    chosen = (torch.rand(3, 10) < 0.4) & mask.bool()
    full = model(input_ids=ids, attention_mask=mask).logits
    some = logits_at(model, chosen, input_ids=ids, attention_mask=mask)
    assert some.shape == (int(chosen.sum()), 99)
    torch.testing.assert_close(some, full[chosen])
    full[chosen].logsumexp(-1).sum().backward()
    expected = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    some.logsumexp(-1).sum().backward()
    got = [p.grad for p in model.parameters() if p.grad is not None]
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-6)
    after = model(input_ids=ids, attention_mask=mask).logits
    assert after.shape == (3, 10, 99), "the hook must be gone"
