import copy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode

from shopguide.config import OptimizerConfig
from shopguide.models.unpadded import padded_inputs
from shopguide.objectives import head_loss as module
from shopguide.objectives.head_loss import head_loss, head_sums, rows_at_once
from shopguide.objectives.language_model import CausalLM, MaskedLM
from shopguide.text.masking import IGNORE
from tests.models.test_unpadded import DECODERS, SHAPES, batch_of, model_of


def made(rows: int, words: int, bias: bool, dtype: torch.dtype = torch.float) -> tuple[Any, ...]:
    torch.manual_seed(rows * 100 + words)
    layer = nn.Linear(6, words, bias=bias, dtype=dtype)
    states, truth = torch.randn(rows, 6, dtype=dtype) * 3, torch.randint(words, (rows,))
    truth[torch.rand(rows) < 0.3] = IGNORE
    truth[0] = 0
    return layer, states.requires_grad_(), truth


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(2, 40), st.integers(1, 400), st.booleans())
def test_loss_and_gradients_are_those_of_cross_entropy(rows: int, words: int, at_once: int, bias: bool) -> None:
    layer, states, truth = made(rows, words, bias, torch.double)
    other, theirs = copy.deepcopy(layer), states.detach().clone().requires_grad_()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(module.AT_ONCE, "cpu", at_once)
        loss, sums = head_loss(states, layer, truth), head_sums(states, layer, truth)
        (3 * loss).backward()
    logits = other(theirs)
    reference = cross_entropy(logits, truth)
    (3 * reference).backward()
    torch.testing.assert_close(loss.double(), reference, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(sums[0], cross_entropy(logits, truth, reduction="sum"), rtol=1e-5, atol=1e-5)
    assert int(sums[1]) == int((logits.argmax(-1) == truth).sum())
    found = (states, *layer.parameters())
    for own, expected in zip(found, (theirs, *other.parameters()), strict=True):
        torch.testing.assert_close(own.grad, expected.grad, rtol=1e-5, atol=1e-6)


def test_in_half_precision_it_is_as_near_as_the_whole_is(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, states, truth = made(64, 50, True)
    gradients = {}
    for name, at_once in (("whole", 1 << 20), ("parts", 400)):
        monkeypatch.setitem(module.AT_ONCE, "cpu", at_once)
        layer.zero_grad()
        states.grad = None
        with torch.autocast("cpu", torch.bfloat16):
            loss = head_loss(states, layer, truth)
        loss.backward()
        gradients[name] = loss.detach(), states.grad, layer.weight.grad, layer.bias.grad
    for whole, parts in zip(gradients["whole"], gradients["parts"], strict=True):
        assert parts.dtype == torch.float
        torch.testing.assert_close(parts, whole, rtol=0.02, atol=float(whole.abs().max()) / 100)


def test_in_float16_gradients_of_many_positions_do_not_vanish(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    layer, states, truth = nn.Linear(6, 64), torch.randn(4096, 6, requires_grad=True), torch.randint(64, (4096,))
    half = {}
    for name, at_once in (("whole", 1 << 40), ("parts", 64 * 512)):
        monkeypatch.setitem(module.AT_ONCE, "cpu", at_once)
        layer.zero_grad()
        states.grad = None
        with torch.autocast("cpu", torch.float16, enabled=name == "parts"):
            loss = head_loss(states, layer, truth)
        (loss * 2.0**16).backward()  # as a scaler of losses does
        half[name] = states.grad / 2.0**16, layer.weight.grad / 2.0**16
    for whole, parts in zip(half["whole"], half["parts"], strict=True):
        assert parts.isfinite().all()
        torch.testing.assert_close(parts, whole, rtol=0.05, atol=float(whole.abs().max()) / 50)


def test_weights_that_are_not_trained_get_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, states, truth = made(20, 30, True)
    layer.requires_grad_(False)
    monkeypatch.setitem(module.AT_ONCE, "cpu", 100)
    head_loss(states, layer, truth).backward()
    assert layer.weight.grad is None
    assert layer.bias.grad is None
    assert states.grad.any()


def test_as_many_rows_as_fit_a_power_of_two() -> None:
    assert rows_at_once(30_522, torch.device("cpu")) == 2048
    assert rows_at_once(50_257, torch.device("cpu")) == 1024
    assert rows_at_once(1 << 40, torch.device("cpu")) == 1


class Largest(TorchDispatchMode):
    """The most rows of logits that were there in one tensor."""

    rows = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        is_of_words = isinstance(out, torch.Tensor) and out.ndim and out.shape[-1] == 99
        if is_of_words and func is not torch.ops.aten.t.default:  # the weights, turned
            self.rows = max(self.rows, out.shape[:-1].numel())
        return out


@pytest.mark.parametrize("kind", SHAPES)
def test_a_step_and_its_evaluation_never_hold_the_logits_of_all_positions(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    none: dict[str, Any] = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop", "dropout"), 0.0)
    none |= dict.fromkeys(("hidden_dropout_prob", "attention_probs_dropout_prob", "attention_dropout"), 0.0)
    plain, inputs = model_of(kind, **none).train(), batch_of([12] * 8, pad=SHAPES[kind].get("pad_token_id", 0))
    own, inputs["labels"] = copy.deepcopy(plain), inputs["input_ids"]
    expected = plain(**padded_inputs(inputs), labels=inputs["labels"]).loss
    expected.backward()
    objective = (CausalLM if kind in DECODERS else MaskedLM)(own, OptimizerConfig(lr=1e-3)).train()
    monkeypatch.setitem(module.AT_ONCE, "cpu", 99 * 8)
    objective.loss(dict(inputs))  # finds out how the model takes its documents
    with Largest() as watched:
        loss = objective.loss(dict(inputs))
        loss.backward()
    assert 0 < watched.rows <= 8
    torch.testing.assert_close(loss, expected)
    for (name, wanted), found in zip(plain.named_parameters(), own.parameters(), strict=True):
        if wanted.grad is not None:
            torch.testing.assert_close(found.grad, wanted.grad, rtol=1e-4, atol=1e-4, msg=name)

    told: dict[str, float] = {}
    objective.log = lambda name, value, **_: told.update({name: value})  # type: ignore[method-assign, assignment]
    objective.on_validation_epoch_start()
    with torch.no_grad(), Largest() as watched:
        objective.validation_step(dict(inputs), 0)
    objective.on_validation_epoch_end()
    assert 0 < watched.rows <= 8
    assert told["dev/loss"] == pytest.approx(expected.item(), rel=1e-5)
    guesses = plain(**padded_inputs(inputs)).logits.argmax(-1)
    shift = int(kind in DECODERS)
    right = guesses[:, : 12 - shift] == inputs["labels"][:, shift:]
    assert told[objective.accuracy_name] == pytest.approx(float(right.float().mean()))
