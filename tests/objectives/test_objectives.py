import copy
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import ndcg_score
from torch.nn.functional import cross_entropy
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSequenceClassification

from shopguide.config import OptimizerConfig
from shopguide.models.unpadded import padded_inputs, runs_unpadded, sequence_logits
from shopguide.objectives.classification import Classification
from shopguide.objectives.language_model import CausalLM, MaskedLM
from tests.models.test_unpadded import DECODERS, SHAPES, batch_of, model_of

SMALL = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "pad_token_id": 0,
}
ADAMW = OptimizerConfig(lr=1e-3)
DROPOUTS = (
    *("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout"),
    *("resid_pdrop", "embd_pdrop", "attn_pdrop"),
)
"""What they are called by one backbone or another."""


def batch(rows: int = 4, length: int = 9) -> dict[str, Any]:
    draw = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 50, (rows, length), generator=draw)
    mask = torch.ones_like(ids)
    mask[0, 6:] = 0
    labels = torch.where((torch.rand(ids.shape, generator=draw) < 0.3) & mask.bool(), ids, -100)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels, "lengths": mask.sum(1).tolist()}


@pytest.mark.parametrize("kind", SHAPES)
def test_a_steps_gradients_are_those_of_transformers(kind: str) -> None:
    """With all that a step has of ours: fused layers, cheap dropout (of nothing), no padding, the loss on the way."""
    none: dict[str, Any] = dict.fromkeys(DROPOUTS, 0.0)
    plain, pad = model_of(kind, **none).train(), SHAPES[kind].get("pad_token_id", 0)
    inputs = batch_of([7, 3, 12, 3, 1, 12], pad=pad)
    labels = torch.where(inputs["attention_mask"].bool(), inputs["input_ids"], -100)
    own = copy.deepcopy(plain)
    plain(**padded_inputs(inputs), labels=labels).loss.backward()
    objective = (CausalLM if kind in DECODERS else MaskedLM)(own, ADAMW).train()
    objective.loss({**inputs, "labels": labels}).backward()
    assert runs_unpadded(own)
    for (name, expected), found in zip(plain.named_parameters(), own.parameters(), strict=True):
        if expected.grad is not None:
            torch.testing.assert_close(found.grad, expected.grad, rtol=1e-4, atol=1e-4, msg=name)


def test_masked_lm_loss_is_that_of_transformers() -> None:
    model = AutoModelForMaskedLM.from_config(AutoConfig.for_model("bert", **SMALL)).eval()
    torch.testing.assert_close(
        MaskedLM(model, ADAMW).loss(batch()), model(**padded_inputs(batch()), labels=batch()["labels"]).loss
    )


def test_causal_lm_loss_is_that_of_transformers() -> None:
    shape = AutoConfig.for_model("gpt2", vocab_size=50, n_embd=16, n_layer=1, n_head=2, bos_token_id=1, eos_token_id=1)
    model = AutoModelForCausalLM.from_config(shape).eval()
    inputs = batch()
    inputs["labels"] = torch.where(inputs["attention_mask"].bool(), inputs["input_ids"], -100)
    torch.testing.assert_close(
        CausalLM(model, ADAMW).loss(inputs), model(**padded_inputs(inputs), labels=inputs["labels"]).loss
    )


def classifier(outputs: int) -> torch.nn.Module:
    torch.manual_seed(0)
    shape = AutoConfig.for_model("bert", num_labels=outputs, problem_type="single_label_classification", **SMALL)
    return AutoModelForSequenceClassification.from_config(shape).eval()


def inputs_of(targets: list[list[int]]) -> dict[str, Any]:
    inputs = batch()
    del inputs["labels"]
    return {**inputs, "targets": torch.tensor(targets)}


def test_one_target_is_the_usual_cross_entropy() -> None:
    model, inputs = classifier(3), inputs_of([[0], [1], [2], [1]])
    own = Classification(model, ADAMW, [[1, 2, 1]]).loss(inputs)
    usual = model(**padded_inputs(inputs), labels=inputs["targets"][:, 0])
    torch.testing.assert_close(own, usual.loss)


def test_several_targets_are_averaged_and_missing_labels_carry_no_loss() -> None:
    model, inputs = classifier(5), inputs_of([[0, 1], [-100, 2], [1, -100], [-100, 0]])
    logits = model(**padded_inputs(inputs)).logits
    first = cross_entropy(logits[[0, 2], :2], torch.tensor([0, 1]))
    second = cross_entropy(logits[[0, 1, 3], 2:], torch.tensor([1, 2, 0]))
    torch.testing.assert_close(Classification(model, ADAMW, [[1, 1], [1, 1, 1]]).loss(inputs), (first + second) / 2)


def test_a_batch_without_labels_gives_no_gradient_and_no_nan() -> None:
    model = classifier(3)
    loss = Classification(model, ADAMW, [[1, 2, 1]]).loss(inputs_of([[-100]] * 4))
    loss.backward()
    assert loss.item() == 0.0
    assert all(p.grad is None or not p.grad.any() for p in model.parameters())


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_label_smoothing_is_torchs(smoothing: float) -> None:
    model, inputs = classifier(3), inputs_of([[0], [1], [2], [1]])
    logits = model(**padded_inputs(inputs)).logits
    expected = cross_entropy(logits, inputs["targets"][:, 0], label_smoothing=smoothing)
    torch.testing.assert_close(
        Classification(model, ADAMW, [[1, 2, 1]], label_smoothing=smoothing).loss(inputs), expected
    )


def test_r_drop_is_the_mean_loss_and_the_disagreement_of_two_runs() -> None:
    model, inputs = classifier(5).train(), inputs_of([[0, 1], [-100, 2], [1, -100], [-100, 0]])
    counts = [[1, 1], [1, 1, 1]]
    torch.manual_seed(3)
    found = Classification(model, ADAMW, counts, r_drop=0.7).loss(inputs)
    torch.manual_seed(3)
    plain = Classification(model, ADAMW, counts)
    one, other = (sequence_logits(model, inputs) for _ in range(2))
    expected = (plain.loss_of(one, inputs["targets"]) + plain.loss_of(other, inputs["targets"])) / 2
    for part in (slice(0, 2), slice(2, 5)):
        p, q = one[:, part].softmax(-1), other[:, part].softmax(-1)
        apart = (p * (p / q).log()).sum(-1) + (q * (q / p).log()).sum(-1)
        expected = expected + 0.7 * apart.mean() / 2 / 2
    torch.testing.assert_close(found, expected)
    assert (one - other).abs().max() > 0


def test_without_dropout_r_drop_adds_nothing() -> None:
    model, inputs = classifier(3), inputs_of([[0], [1], [2], [1]])
    plain, dropped = (Classification(model, ADAMW, [[1, 2, 1]], r_drop=weight).loss(inputs) for weight in (0.0, 5.0))
    torch.testing.assert_close(plain, dropped)


def test_r_drop_is_counted_as_two_runs() -> None:
    assert [Classification(classifier(3), ADAMW, [[1, 2, 1]], r_drop=weight).passes for weight in (0.0, 5.0)] == [1, 2]


def test_the_ranking_of_the_expected_gain_on_dev() -> None:
    draw = np.random.default_rng(0)
    logits, truth = torch.tensor(draw.normal(size=(40, 3)), dtype=torch.float), torch.tensor(draw.integers(0, 3, 40))
    gains, lists = torch.tensor([2.0, 0.0, 1.0]), torch.arange(4).repeat_interleave(10)
    module = Classification(classifier(3), ADAMW, [[1, 1, 1]], gains=[gains.tolist()])
    told: dict[str, Any] = {}
    module.log = lambda name, value, **more: told.update({name: value})  # type: ignore[method-assign, assignment]
    module._seen = [(logits[:15], truth[:15, None], lists[:15]), (logits[15:], truth[15:, None], lists[15:])]
    module.on_validation_epoch_end()
    scores = (logits.softmax(-1) @ gains).reshape(4, 10).numpy()
    assert told["dev/ndcg_at_10"] == pytest.approx(ndcg_score(gains[truth].reshape(4, 10).numpy(), scores, k=10))
