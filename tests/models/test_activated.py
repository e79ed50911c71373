"""Beside autograd's own gradients, in double precision and in autocast."""

import pickle
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import gelu

from shopguide.models import activated
from shopguide.models.activated import BEFORE, ActivatedLinear, keep_once
from tests.models.test_unpadded import batch_of, model_of

A_LAYER = {"bert": 1, "roberta": 1, "electra": 1, "modernbert": 0, "gpt2": 0}


def gradients(model: nn.Module, half: bool = False) -> dict[str, torch.Tensor]:
    batch = {name: batch_of([7, 3])[name] for name in ("input_ids", "attention_mask")}
    model.zero_grad()
    with torch.autocast("cpu", enabled=half):
        model(**batch).logits.float().square().mean().backward()
    return {name: own.grad.clone() for name, own in model.named_parameters() if own.grad is not None}


def parts(model: nn.Module) -> list[nn.Module]:
    return [module for module in model.modules() if isinstance(module, ActivatedLinear)]


@pytest.mark.parametrize("kind", A_LAYER)
def test_gradients_are_autograds(kind: str) -> None:
    model = model_of(kind).eval().double()
    before = gradients(model)
    keep_once(model)
    assert len(parts(model)) == A_LAYER[kind] * model.config.num_hidden_layers
    after = gradients(model)
    assert before.keys() == after.keys()
    for name, own in before.items():
        torch.testing.assert_close(after[name], own, rtol=1e-10, atol=1e-12)


def test_in_half_precision_they_are_the_same_to_rounding() -> None:
    model = model_of("bert").eval()
    before = gradients(model, half=True)
    keep_once(model)
    for name, own in gradients(model, half=True).items():
        torch.testing.assert_close(own, before[name], rtol=2e-2, atol=1e-4)


def test_nothing_is_made_again_for_frozen_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(values: torch.Tensor) -> torch.Tensor:
        made.append(1)
        return gelu(values)

    model = model_of("bert").eval()
    keep_once(model)
    monkeypatch.setattr(activated, "gelu", counted)
    gradients(model)
    assert len(made) == model.config.num_hidden_layers
    for part in parts(model):
        part.requires_grad_(False)
    gradients(model)
    assert len(made) == model.config.num_hidden_layers


def test_a_state_that_was_changed_in_place_is_kept_as_it_is() -> None:
    model = model_of("bert").eval().double()
    for layer in model.bert.encoder.layer:
        layer.intermediate.register_forward_hook(lambda _module, _inputs, out: out.mul_(0.5))
    before = gradients(model)
    keep_once(model)
    for name, own in gradients(model).items():
        torch.testing.assert_close(own, before[name], rtol=1e-10, atol=1e-12)


def test_the_wide_states_are_kept_once() -> None:
    kept: list[int] = []

    def note(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.numel() == batch_of([7, 3])["input_ids"].numel() * model.config.intermediate_size:
            kept.append(tensor.data_ptr())
        return tensor

    model = model_of("bert")
    for expected in (2, 1):
        kept.clear()
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            gradients(model)
        assert len(set(kept)) == expected * model.config.num_hidden_layers
        keep_once(model)


@pytest.mark.parametrize("copy", [deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_model_that_only_answers_and_its_copies_are_as_they_were(copy: Callable[[nn.Module], Any]) -> None:
    model = model_of("bert").eval()
    batch = {name: batch_of([7, 3])[name] for name in ("input_ids", "attention_mask")}
    before = model(**batch).logits
    keep_once(model)
    for one in (model, copy(model)):
        torch.testing.assert_close(one(**batch).logits, before, rtol=0, atol=0)
    with torch.no_grad():
        part = model.bert.encoder.layer[0].intermediate
        assert not hasattr(part(torch.ones(1, 2, model.config.hidden_size)), BEFORE)


def test_another_activation_is_left_alone() -> None:
    model = model_of("bert", hidden_act="relu")
    keep_once(model)
    assert not parts(model)
