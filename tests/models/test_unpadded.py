from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)

from shopguide.models import attention
from shopguide.models.layout import Layout
from shopguide.models.unpadded import (
    logits_at,
    mean_states,
    only_first,
    padded_because,
    padded_inputs,
    runs_unpadded,
    sequence_logits,
)
from shopguide.models.written_out import bidirectional_attention

COMMON = {
    "vocab_size": 99,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "pad_token_id": 0,
}
MODERN = {**COMMON, "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2, "local_attention": 6}
SHAPES = {
    "bert": COMMON,
    "roberta": {**COMMON, "pad_token_id": 1},
    "electra": COMMON,
    "albert": COMMON,
    "modernbert": {**MODERN, "num_hidden_layers": 4},
    "distilbert": {"vocab_size": 99, "dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64, "pad_token_id": 0},
    "gpt2": {"vocab_size": 99, "n_embd": 32, "n_layer": 2, "n_head": 2, "bos_token_id": 1, "eos_token_id": 1},
    "qwen2": {**COMMON, "num_key_value_heads": 1},
}
DECODERS = {"gpt2", "qwen2"}
MEAN = {"classifier_pooling": "mean"}
ENCODERS = sorted(set(SHAPES) - DECODERS)


def model_of(kind: str, head: Any = None, **more: Any) -> nn.Module:
    torch.manual_seed(0)
    head = head or (AutoModelForCausalLM if kind in DECODERS else AutoModelForMaskedLM)
    model: nn.Module = head.from_config(AutoConfig.for_model(kind, **SHAPES[kind] | more)).eval()
    with torch.no_grad():  # larger than at initialisation, so that attention is far from even
        for weight in model.parameters():
            weight.mul_(4 if weight.ndim > 1 else 1)
    return model


def batch_of(lengths: list[int], seed: int = 0, pad: int = 0) -> dict[str, Any]:
    width = max(lengths)
    ids = torch.randint(5, 99, (len(lengths), width), generator=torch.Generator().manual_seed(seed))
    mask = (torch.arange(width)[None] < torch.tensor(lengths)[:, None]).long()
    return {"input_ids": torch.where(mask.bool(), ids, pad), "attention_mask": mask, "lengths": lengths}


def places_of(positions: torch.Tensor) -> torch.Tensor:
    return positions.flatten().nonzero().squeeze(1)


def gradients(model: nn.Module, outputs: torch.Tensor) -> list[torch.Tensor]:
    model.zero_grad()
    outputs.float().logsumexp(-1).sum().backward()
    return [p.grad.clone() for p in model.parameters() if p.grad is not None]


@pytest.mark.parametrize(
    "lengths",
    [[7, 3, 12, 3, 1, 12], [4], [9, 9, 9], [30, 4, 28, 27, 9, 1], [29] * 5 + [17, 16, 3], [4, 3, 4, 3] * 4],
    ids=str,
)
@pytest.mark.parametrize("kind", SHAPES)
def test_language_model_equals_the_padded_one(kind: str, lengths: list[int]) -> None:
    model, batch = model_of(kind), batch_of(lengths, pad=SHAPES[kind].get("pad_token_id", 0))
    assert runs_unpadded(model)
    chosen = batch["attention_mask"].bool() & (torch.rand(batch["input_ids"].shape) < 0.5)
    chosen[0, 0] = True
    full = model(**padded_inputs(batch)).logits[chosen]
    some = logits_at(model, batch, places_of(chosen))
    assert some.shape == (int(chosen.sum()), 99)
    torch.testing.assert_close(some, full, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradients(model, some), gradients(model, full), rtol=1e-4, atol=1e-4)
    after = model(**padded_inputs(batch)).logits
    torch.testing.assert_close(after[chosen], full)
    assert after.shape == (*batch["input_ids"].shape, 99), "the model itself must be as it was"


@pytest.fixture(scope="module")
def models() -> dict[str, nn.Module]:
    return {kind: model_of(kind) for kind in SHAPES}


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(sorted(SHAPES)), st.lists(st.integers(1, 40), min_size=1, max_size=24), st.integers(0, 99))
def test_of_whatever_lengths_it_equals_the_padded_one(
    models: dict[str, nn.Module], kind: str, lengths: list[int], seed: int
) -> None:
    model, batch = models[kind], batch_of(lengths, seed, pad=SHAPES[kind].get("pad_token_id", 0))
    everywhere = places_of(batch["attention_mask"])
    full = model(**padded_inputs(batch)).logits.flatten(0, 1)[everywhere]
    some = logits_at(model, batch, everywhere)
    torch.testing.assert_close(some, full, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradients(model, some), gradients(model, full), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("kind", "more"), [*((kind, {}) for kind in ENCODERS), ("modernbert", MEAN)], ids=str)
def test_classifier_equals_the_padded_one(kind: str, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(kind, AutoModelForSequenceClassification, num_labels=5, **more)
    batch = batch_of([7, 3, 12, 3, 1, 12])
    batch["input_ids"][batch["attention_mask"] == 0] = SHAPES[kind]["pad_token_id"]
    if kind in ("bert", "electra", "albert"):
        batch["token_type_ids"] = (torch.arange(12)[None].expand(6, -1) > 2).long()
    assert runs_unpadded(model)
    asked, of_first_tokens = [], attention._of_first_tokens
    monkeypatch.setattr(
        attention, "_of_first_tokens", lambda *inputs: asked.append(len(inputs)) or of_first_tokens(*inputs)
    )
    padded, unpadded = model(**padded_inputs(batch)).logits, sequence_logits(model, batch)
    assert len(asked) == (kind in ("bert", "roberta", "electra"))  # in whose last layer other tokens ask in vain
    torch.testing.assert_close(unpadded, padded, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradients(model, unpadded), gradients(model, padded), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("kind", "more"), [*((kind, {}) for kind in ENCODERS), ("modernbert", MEAN)], ids=str)
def test_only_first_tokens_go_through_what_is_last(kind: str, more: dict[str, Any]) -> None:
    model, batch = model_of(kind, AutoModelForSequenceClassification, num_labels=5, **more), batch_of([7, 3, 12])
    full = model(**padded_inputs(batch)).logits
    seen: list[torch.Size] = []
    for module in model.modules():
        if type(module) is nn.Linear:
            module.register_forward_hook(lambda _module, given, _out: seen.append(given[0].shape))
    with only_first(model):
        torch.testing.assert_close(model(**padded_inputs(batch)).logits, full, rtol=1e-5, atol=1e-5)
    per_token = [shape[-2] > 1 for shape in seen if len(shape) == 3]
    if kind in ("bert", "roberta", "electra"):  # the three products after the last attention
        assert all(per_token[:-3])
        assert not any(per_token[-3:])


@pytest.mark.parametrize("kind", SHAPES)
def test_one_text_is_answered_as_the_padded_model_does(kind: str) -> None:
    model, batch = model_of(kind), batch_of([23])
    assert runs_unpadded(model)
    everywhere = torch.arange(23)
    with torch.inference_mode():
        full = model(**padded_inputs(batch)).logits[0]
        found = logits_at(model, batch, everywhere)
    assert batch["layout"].is_whole
    torch.testing.assert_close(found, full, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", SHAPES)
def test_token_classifier_equals_the_padded_one(kind: str) -> None:
    model = model_of(kind, AutoModelForTokenClassification, num_labels=5)
    batch = batch_of([7, 3, 12, 3, 1, 12], pad=SHAPES[kind].get("pad_token_id", 0))
    assert runs_unpadded(model)
    chosen = batch["attention_mask"].bool() & (torch.arange(12)[None] % 2 == 0)
    full = model(**padded_inputs(batch)).logits[chosen]
    some = logits_at(model, batch, places_of(chosen))
    assert some.shape == (int(chosen.sum()), 5)
    torch.testing.assert_close(some, full, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradients(model, some), gradients(model, full), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", SHAPES)
def test_mean_states_leave_padding_out(kind: str) -> None:
    model, batch = model_of(kind, AutoModel), batch_of([7, 3, 12], pad=SHAPES[kind].get("pad_token_id", 0))
    assert runs_unpadded(model)
    mask = batch["attention_mask"][..., None]
    padded = (model(**padded_inputs(batch))[0] * mask).sum(1) / mask.sum(1)
    found = mean_states(model, batch)
    torch.testing.assert_close(found, padded, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradients(model, found), gradients(model, padded), rtol=1e-4, atol=1e-4)


def batch_of_one(batch: dict[str, Any], row: int) -> dict[str, Any]:
    length = batch["lengths"][row]
    return {
        "input_ids": batch["input_ids"][row : row + 1, :length],
        "attention_mask": batch["attention_mask"][row : row + 1, :length],
        "lengths": [length],
    }


@pytest.mark.parametrize("lengths", [[6, 6, 9, 2], [3, 4, 4, 3, 4, 4, 4, 3]], ids=str)
@pytest.mark.parametrize("kind", SHAPES)
def test_a_document_does_not_see_its_neighbours(kind: str, lengths: list[int]) -> None:
    model, batch = model_of(kind), batch_of(lengths)
    second = torch.zeros_like(batch["input_ids"], dtype=torch.bool)
    second[1, : lengths[1]] = True
    before = logits_at(model, batch, places_of(second))
    others = [0, *range(2, len(lengths))]
    batch["input_ids"][others] = 98 - batch["input_ids"][others]
    torch.testing.assert_close(logits_at(model, batch, places_of(second)), before, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("kind", "dropout"),
    [("bert", "attention_probs_dropout_prob"), ("modernbert", "attention_dropout"), ("gpt2", "attn_pdrop")],
)
def test_in_training_a_document_does_not_see_its_neighbours_either(kind: str, dropout: str) -> None:
    model, batch = model_of(kind, **{dropout: 0.3}), batch_of([6, 6, 9, 2])
    model.train()
    second = torch.zeros_like(batch["input_ids"], dtype=torch.bool)
    second[1, :6] = True

    def drawn() -> torch.Tensor:
        torch.manual_seed(3)
        return logits_at(model, batch, places_of(second))

    before = drawn()
    torch.testing.assert_close(drawn(), before, rtol=0, atol=0)
    assert (before - logits_at(model.eval(), batch, places_of(second))).abs().max() > 0.01
    model.train()
    batch["input_ids"][[0, 2, 3]] = 98 - batch["input_ids"][[0, 2, 3]]
    torch.testing.assert_close(drawn(), before, rtol=0, atol=0)


def test_short_documents_go_to_the_kernel_together(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []

    def watched(query: torch.Tensor, *others: Any) -> torch.Tensor:
        seen.append(tuple(query.shape))
        return bidirectional_attention(query, *others)

    model, batch = model_of("bert"), batch_of([4] * 16)
    assert runs_unpadded(model)
    monkeypatch.setattr(attention, "bidirectional_attention", watched)
    mean_states(model, batch)
    assert seen == [(2, 2, 32, 16)] * 2


@pytest.mark.parametrize("kind", ["bert", "gpt2", "qwen2", "modernbert"])
def test_an_empty_document_harms_nobody(kind: str) -> None:
    model, batch = model_of(kind), batch_of([5, 0, 3, 0])
    whole = torch.tensor([0, 2])
    assert runs_unpadded(model)
    alone = mean_states(model, batch_of_one(batch, 0)), mean_states(model, batch_of_one(batch, 2))
    found = mean_states(model, batch)
    torch.testing.assert_close(found[whole], torch.cat(alone), rtol=1e-5, atol=1e-5)
    assert not found[[1, 3]].any()


def test_many_threads_find_out_at_once() -> None:
    def last_reading() -> nn.Module:
        return model_of("gpt2", AutoModelForSequenceClassification, num_labels=3, pad_token_id=0)

    batch = batch_of([12, 7, 3])
    exact = last_reading()(**padded_inputs(batch)).logits
    for _ in range(5):
        model, start = last_reading(), Barrier(4)

        def answer(_: int, model: nn.Module = model, start: Barrier = start) -> torch.Tensor:
            start.wait()
            with torch.inference_mode():
                return sequence_logits(model, dict(batch))

        with ThreadPoolExecutor(4) as pool:
            for found in pool.map(answer, range(4)):
                torch.testing.assert_close(found, exact, rtol=1e-4, atol=1e-4)


def test_a_backbone_that_cannot_takes_the_padded_way() -> None:
    model = model_of("gpt2", AutoModelForSequenceClassification, num_labels=3, pad_token_id=0)
    batch = batch_of([5, 2, 4])
    assert not runs_unpadded(model), "it reads the last token, which the one row hides"
    assert padded_because(model).startswith("GPT2ForSequenceClassification ")
    torch.testing.assert_close(sequence_logits(model, batch), model(**padded_inputs(batch)).logits)


def test_padding_beyond_a_narrow_window_harms_nobody() -> None:
    model, batch = model_of("modernbert", attention_dropout=0.2), batch_of([12, 10, 2])
    assert [group.lengths for group in Layout(batch["lengths"], 12, True).groups] == [(12, 10), (2,)]
    model.train()
    logits = logits_at(model, batch, places_of(batch["attention_mask"]))
    logits.sum().backward()
    assert bool(logits.isfinite().all())
    assert all(bool(p.grad.isfinite().all()) for p in model.parameters() if p.grad is not None)


def test_a_model_set_to_another_attention_takes_the_padded_way() -> None:
    model, batch = model_of("bert", AutoModelForSequenceClassification, num_labels=3), batch_of([5, 2, 4])
    expected = sequence_logits(model, batch)
    assert runs_unpadded(model)
    model.set_attn_implementation("eager")
    assert padded_because(model) == "its attention was set to `eager`"
    assert not runs_unpadded(model)
    torch.testing.assert_close(sequence_logits(model, batch), expected, rtol=1e-5, atol=1e-5)


def test_threads_do_not_meet() -> None:
    model = model_of("bert", AutoModelForSequenceClassification, num_labels=3)
    batches = [batch_of([9, 2, 5], seed) for seed in range(8)]
    with torch.no_grad():
        expected = [model(**padded_inputs(batch)).logits for batch in batches]
        assert runs_unpadded(model)

        def answer(number: int) -> torch.Tensor:
            with torch.no_grad():
                batch = batches[number % 8]
                return sequence_logits(model, batch) if number % 3 else model(**padded_inputs(batch)).logits

        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(answer, range(200)))
    for number, logits in enumerate(found):
        torch.testing.assert_close(logits, expected[number % 8], rtol=1e-5, atol=1e-5)


def test_training_with_dropout_is_the_same_in_expectation() -> None:
    model, batch = model_of("bert", AutoModelForSequenceClassification, num_labels=3), batch_of([5, 9, 9])
    exact = sequence_logits(model, batch)
    model.train()
    torch.manual_seed(1)
    drawn = torch.stack([sequence_logits(model, batch) for _ in range(300)])
    assert (drawn.std(0) > 0).all()
    error = drawn.std(0) / 300**0.5
    assert ((drawn.mean(0) - exact).abs() < 6 * error + 0.1).all()
    torch.manual_seed(1)
    torch.testing.assert_close(sequence_logits(model, batch), drawn[0], rtol=0, atol=0)
