"""Attention with dropout of its weights on CPU, where the library's own kernel draws slowly.

The weights are the largest tensors of a layer. Autograd's way keeps them in full precision, and once more as they are
after dropout; here they are kept once, in the precision of the products, and dropped again on the way back. What is
kept is scaled where it is small, at the output.

Shapes: N documents of a group, H heads, L tokens, D width of a head.
"""

from typing import Any

import torch


class _DroppedAttention(torch.autograd.Function):
    """O = c (A ∘ K) V with A = softmax(S), S = QKᵀ + bias, K ∈ {0, 1} and c = 1 / (1 − share).

    With G = c ∂O: ∂V = (A ∘ K)ᵀ G, ∂A = K ∘ G Vᵀ, ∂S = A ∘ (∂A − Σⱼ ∂Aⱼ Aⱼ), ∂Q = ∂S K, ∂K = ∂Sᵀ Q.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        bias: torch.Tensor | None,
        kept: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        scores = torch.matmul(query, key.transpose(-1, -2))
        if bias is not None:
            scores += bias
        weights = scores.softmax(-1)
        ctx.save_for_backward(query, key, value, weights, kept)
        ctx.scale = scale
        return torch.matmul(_dropped(weights, kept), value).mul_(scale)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, weights, kept = ctx.saved_tensors
        gradient = gradients[0] * ctx.scale
        of_value = torch.matmul(_dropped(weights, kept).transpose(-1, -2), gradient)
        of_weights = _dropped(torch.matmul(gradient, value.transpose(-1, -2)), kept)
        of_scores = torch.ops.aten._softmax_backward_data(of_weights, weights, -1, weights.dtype)
        of_key = torch.matmul(of_scores.transpose(-1, -2), query)
        return torch.matmul(of_scores, key), of_key, of_value, None, None, None


def _dropped(weights: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    return torch.where(kept, weights, 0.0)


def dropped_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scaling: float | None,
    share: float,
    bias: torch.Tensor | None,
    kept: torch.Tensor,
) -> torch.Tensor:
    """Attention in which a share of the weights is set to zero and the others are scaled by 1 / (1 − share).

    Args:
        query: (N, H, L, D).
        key: (N, H, L, D).
        value: (N, H, L, D).
        scaling: of the scores; None: 1 / √D.
        share: below 1.
        bias: what is added to the scores, of a shape that goes with (N, H, L, L).
        kept: N · H · L² decisions (`dropout.draw_kept`).

    Returns:
        (N, H, L, D), in the precision of autocast where it is on.
    """
    device = query.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else query.dtype
    query = query * (scaling or query.shape[-1] ** -0.5)
    query, key, value = (tensor.to(dtype) for tensor in (query, key, value))
    kept = kept.view(*query.shape[:-1], key.shape[-2])
    with torch.autocast(device, enabled=False):
        out: torch.Tensor = _DroppedAttention.apply(query, key, value, bias, kept, 1 / (1 - share))  # type: ignore[no-untyped-call]
    return out
