from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import ndcg_score
from torch.nn.functional import cross_entropy, normalize
from transformers import AutoConfig, AutoModel

from shopguide.config import OptimizerConfig
from shopguide.models.unpadded import runs_unpadded
from shopguide.objectives.matching import Matching
from shopguide.text.examples import Collate
from shopguide.text.pairs import CollatePairs, Fits

ADAMW = OptimizerConfig(lr=1e-3)
SHAPE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
KINDS = ["bert", "modernbert"]


def encoder(kind: str, dropout: float = 0.0) -> torch.nn.Module:
    torch.manual_seed(0)
    names = ("hidden_dropout_prob", "attention_probs_dropout_prob") if kind == "bert" else ("mlp_dropout",)
    more = dict.fromkeys(names, dropout)
    shape = AutoConfig.for_model(kind, vocab_size=50, pad_token_id=0, **SHAPE, **more)
    model: torch.nn.Module = AutoModel.from_config(shape)
    return model


def batch(pairs: list[tuple[int, int]], positives: list[frozenset[int]]) -> dict[str, Any]:
    draw = np.random.default_rng(0)

    def text(length: int) -> dict[str, np.ndarray]:
        return {"input_ids": draw.integers(5, 50, length), "row": np.int64(0)}  # type: ignore[dict-item]

    rows = [{"texts": [text(2 + i), text(4 + i)], "query": q, "items": [p]} for i, (q, p) in enumerate(pairs)]
    fits = np.array([(query, item) for query, items in enumerate(positives) for item in items])
    return CollatePairs(Collate(0), Fits(fits, 13))(rows)


def text_of(draw: np.random.Generator) -> dict[str, Any]:
    return {"input_ids": draw.integers(5, 50, int(draw.integers(2, 7))), "row": np.int64(0)}


PAIRS = [(0, 10), (0, 11), (1, 12), (2, 10)]
POSITIVES = [frozenset({10, 11}), frozenset({12}), frozenset({10})]


def test_another_product_that_fits_is_no_negative() -> None:
    known = batch(PAIRS, POSITIVES)["known"]
    # query 0 stands twice: each time its other product, and product 10 of query 2, fit, too
    assert known.int().tolist() == [[0, 1, 0, 1], [1, 0, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]]


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_is_its_formula(kind: str) -> None:
    model, made = encoder(kind).eval(), batch(PAIRS, POSITIVES)
    assert runs_unpadded(model)
    with torch.no_grad():
        states = model(input_ids=made["input_ids"], attention_mask=made["attention_mask"])[0]
        mask = made["attention_mask"][..., None]
        vectors = normalize((states * mask).sum(1) / mask.sum(1), dim=-1)
        scores = vectors[:4] @ vectors[4:].T / 0.1
        losses = []
        for row in range(4):
            kept = [column for column in range(4) if not made["known"][row, column]]
            losses.append(cross_entropy(scores[row, kept], torch.tensor(kept.index(row))))
        torch.testing.assert_close(
            Matching(model, ADAMW, 0.1).loss(made), torch.stack(losses).mean(), rtol=1e-4, atol=1e-5
        )


def test_a_teacher_adds_the_divergence_of_its_order() -> None:
    model, draw = encoder("bert").eval(), np.random.default_rng(1)
    rows = [
        {"texts": [text_of(draw) for _ in range(4)], "query": query, "items": [item, *hard]}
        for (query, item), hard in zip(PAIRS, [(3, 4), (5, 6), (7, 8), (1, 2)], strict=True)
    ]
    fits = np.array([(query, item) for query, items in enumerate(POSITIVES) for item in items])
    made = CollatePairs(Collate(0), Fits(fits, 13))(rows)
    grades = draw.random((3, 13)).astype(np.float32)
    module = Matching(model, ADAMW, 0.1, teacher=lambda queries, items: grades[queries, items])
    with torch.no_grad():
        vectors = module.vectors(made)
        terms = []
        for number, row in enumerate(rows):
            columns = [4 + number, 8 + number, 12 + number]
            ours = (vectors[columns] @ vectors[number] / 0.1).softmax(-1)
            theirs = (torch.from_numpy(grades[row["query"], row["items"]]) / 0.1).softmax(-1)
            terms.append((theirs * (theirs / ours).log()).sum())
        alone = Matching(model, ADAMW, 0.1).loss(made)
        torch.testing.assert_close(module.loss(made), alone + torch.stack(terms).mean(), rtol=1e-4, atol=1e-5)
        ahead = module.train().on_before_batch_transfer(made, 0)
        assert ahead["grades"].tolist() == [grades[row["query"], item] for item, row in _by_column(rows)]
        module._teacher = None if module._teacher is None else lambda *_: np.full(12, np.nan, np.float32)
        torch.testing.assert_close(module.loss(ahead), alone + torch.stack(terms).mean(), rtol=1e-4, atol=1e-5)
        assert "grades" not in module.eval().on_before_batch_transfer(made, 0), "the teacher knows training's numbers"


def _by_column(rows: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """The products in the order of a batch: first ones first."""
    return [(row["items"][place], row) for place in range(3) for row in rows]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cached", [1, 3, 8])
def test_cached_gradients_are_the_same(kind: str, cached: int) -> None:
    made = batch(PAIRS, POSITIVES)
    found = []
    for size in (None, cached):
        model = encoder(kind, dropout=0.1 if cached == 8 else 0.0)  # of one chunk, the draws are the same
        module = Matching(model, ADAMW, 0.1, size).train()
        torch.manual_seed(1)
        loss = module.loss(made)
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
        found.append((loss.detach(), torch.cat(gradients)))
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_dropout_is_drawn_alike_when_states_are_computed_again() -> None:
    made, model = batch(PAIRS, POSITIVES), encoder("bert", dropout=0.3)
    module = Matching(model, ADAMW, 0.1, 2).train()
    torch.manual_seed(1)
    loss = module.loss(made)
    loss.backward()  # type: ignore[no-untyped-call]
    weight = next(p for name, p in model.named_parameters() if name.endswith("layer.1.output.dense.weight"))
    step, before = 1e-2, weight.detach().clone()
    assert weight.grad is not None
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            weight.copy_(before + sign * step * weight.grad / weight.grad.norm())
            torch.manual_seed(1)
            values.append(float(torch.enable_grad()(module.loss)(made)))
    assert (values[0] - values[1]) / (2 * step) == pytest.approx(float(weight.grad.norm()), rel=0.05)


def test_in_half_precision_the_cosines_are_exact() -> None:
    module, made = Matching(encoder("bert").eval(), ADAMW, 0.05), batch(PAIRS, POSITIVES)
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        vectors, loss = module.vectors(made), module.loss(made)
    assert vectors.dtype == loss.dtype == torch.float32
    scores = (vectors[:4] @ vectors[4:].T / 0.05).masked_fill(made["known"], float("-inf"))
    torch.testing.assert_close(loss, cross_entropy(scores, torch.arange(4)))


def test_the_ranking_of_the_dev_pairs() -> None:
    draw = torch.Generator().manual_seed(0)
    queries, products = (normalize(torch.randn(4, 8, generator=draw), dim=-1) for _ in range(2))
    queries[1], products[3] = queries[0], products[0]  # one query of two pairs, one product of two pairs
    module = Matching(encoder("bert"), ADAMW)
    told: dict[str, Any] = {}
    module.log = lambda name, value, **more: told.update({name: value})  # type: ignore[method-assign, assignment]
    query, item = (torch.tensor(column) for column in zip(*PAIRS, strict=True))
    module._seen = [(queries, products, query, item, torch.tensor([1.0, 1.0, 1.0, 2.0]))]
    module.on_validation_epoch_end()
    scores = (queries[[0, 2, 3]] @ products[[0, 1, 2]].T).numpy()
    assert told["dev/ndcg_at_10"] == pytest.approx(ndcg_score([[1, 1, 0], [0, 0, 1], [1, 0, 0]], scores, k=10))
    assert told["dev/loss"] == 1.25


def test_first_dimensions_that_serve_alone_have_a_loss_of_their_own() -> None:
    model, made = encoder("bert").eval(), batch(PAIRS, POSITIVES)
    vectors = Matching(model, ADAMW, 0.1).vectors(made)
    losses = []
    for width in (16, 8, 2):
        first = normalize(vectors[:, :width], dim=-1)
        scores = (first[:4] @ first[4:].T / 0.1).masked_fill(made["known"], float("-inf"))
        losses.append(cross_entropy(scores, torch.arange(4)))
    found = Matching(model, ADAMW, 0.1, dimensions=[8, 2]).loss(made)
    torch.testing.assert_close(found, torch.stack(losses).mean())
    assert len({round(loss.item(), 4) for loss in losses}) == 3
