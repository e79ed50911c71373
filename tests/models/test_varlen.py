"""On a GPU: `CUDA_VISIBLE_DEVICES=0 python -m pytest -m gpu`. The reference is the padded model, in full precision."""

from typing import Any

import pytest
import torch
from torch import nn

from shopguide.models.layout import Layout
from shopguide.models.unpadded import logits_at, padded_inputs, runs_unpadded
from shopguide.models.varlen import serves, varlen_attention
from tests.models.test_unpadded import SHAPES, batch_of, model_of, places_of

LENGTHS = [7, 3, 12, 3, 1, 12, 30, 29]


def test_a_cpu_is_not_served() -> None:
    assert not serves(torch.zeros(1, 2, 4, 16, dtype=torch.bfloat16))


def on_gpu(batch: dict[str, Any]) -> dict[str, Any]:
    return {name: value.cuda() if isinstance(value, torch.Tensor) else value for name, value in batch.items()}


def rows(seed: int, heads: int = 4, width: int = 32) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return [torch.randn(sum(LENGTHS), heads, width, generator=draw).bfloat16().cuda().requires_grad_() for _ in "qkv"]


def reference(parts: list[torch.Tensor], layout: Layout, causal: bool, window: int | None) -> torch.Tensor:
    """Document by document, in double precision."""
    found = []
    for lengths in torch.split(torch.arange(layout.tokens), sorted(LENGTHS, reverse=True)):
        query, key, value = (part[lengths.cuda()].double().transpose(0, 1) for part in parts)
        ahead = torch.arange(len(lengths))[None] - torch.arange(len(lengths))[:, None]
        hidden = (ahead.abs() >= window) if window else torch.zeros_like(ahead, dtype=torch.bool)
        hidden |= (ahead > 0) if causal else torch.zeros_like(hidden)
        scores = (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).masked_fill(hidden.cuda(), float("-inf"))
        found.append((scores.softmax(-1) @ value).transpose(0, 1))
    return torch.cat(found)


@pytest.mark.gpu
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("window", [None, 4])
def test_attention_stays_inside_each_document(causal: bool, window: int | None) -> None:
    layout, parts = Layout(LENGTHS, 32, filled=False), rows(0)
    out = varlen_attention(*parts, layout, None, 0.0, causal, window)
    expected = reference(parts, layout, causal, window)
    assert float((out.double() - expected).norm() / expected.norm()) < 1e-2
    weight = torch.randn_like(expected)
    ours = torch.autograd.grad((out.double() * weight).sum(), parts)
    theirs = torch.autograd.grad((expected * weight).sum(), parts)
    for mine, other in zip(ours, theirs, strict=True):
        assert float((mine.double() - other.double()).norm() / other.double().norm()) < 1e-2


@pytest.mark.gpu
def test_dropout_is_unbiased_and_follows_the_seed() -> None:
    layout, parts = Layout(LENGTHS, 32, filled=False), [part.detach() for part in rows(1)]
    plain = varlen_attention(*parts, layout, None, 0.0, False, None).float()
    torch.manual_seed(3)
    draws = torch.stack([varlen_attention(*parts, layout, None, 0.3, False, None).float() for _ in range(400)])
    torch.manual_seed(3)
    again = varlen_attention(*parts, layout, None, 0.3, False, None).float()
    torch.testing.assert_close(draws[0], again, rtol=0, atol=0)
    assert float((draws[0] - plain).norm() / plain.norm()) > 0.1
    assert float((draws.mean(0) - plain).norm() / plain.norm()) < 0.05


@pytest.mark.gpu
@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_model_on_a_gpu_equals_the_padded_one(kind: str, dtype: torch.dtype) -> None:
    model = model_of(kind).cuda()
    batch = on_gpu(batch_of(LENGTHS, pad=SHAPES[kind].get("pad_token_id", 0)))
    assert runs_unpadded(model)
    chosen = places_of(batch["attention_mask"])
    full = model(**padded_inputs(batch)).logits.flatten(0, 1)[chosen]
    with torch.autocast("cuda", dtype, enabled=dtype != torch.float32):
        some = logits_at(model, batch, chosen)
    bound = 1e-4 if dtype == torch.float32 else 5e-2
    assert float((some.float() - full).norm() / full.norm()) < bound
    ours, theirs = gradient(model, some), gradient(model, full)
    assert float((ours - theirs).norm() / theirs.norm()) < 2 * bound


def gradient(model: nn.Module, outputs: torch.Tensor) -> torch.Tensor:
    model.zero_grad()
    outputs.float().logsumexp(-1).sum().backward()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
