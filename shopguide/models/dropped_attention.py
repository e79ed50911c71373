"""Attention with dropout of its weights on CPU, where the library's own kernel draws slowly.

The weights are the largest tensors of a layer. Autograd's way keeps them in full precision, and once more as they are
after dropout; here they are kept once, in the precision of the products. None is negative: their signs are free to tell
which of them are dropped. What is left is scaled where it is small, at the output.

Shapes: N documents of a group, H heads, L tokens, D width of a head.
"""

from typing import Any

import torch


class _DroppedAttention(torch.autograd.Function):
    """O = c R V with R = A ∘ K, A = softmax(S), S = QKᵀ + bias, K ∈ {0, 1} and c = 1 / (1 − share).

    With G = c ∂O and P = R ∘ G Vᵀ: ∂V = Rᵀ G, ∂S = P − A ∘ Σⱼ Pⱼ, ∂Q = ∂S K, ∂K = ∂Sᵀ Q.
    What is remembered, W, is A where K is 1, and −A where it is 0: A = |W|, R = max(W, 0).
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        bias: torch.Tensor | None,
        signs: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        scores = torch.matmul(query, key.transpose(-1, -2))
        if bias is not None:
            scores += bias
        signed = scores.softmax(-1).copysign_(signs.to(scores.dtype))
        ctx.save_for_backward(query, key, value, signed)
        ctx.scale = scale
        return torch.matmul(signed.clamp_min(0), value).mul_(scale)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, signed = ctx.saved_tensors
        gradient = gradients[0] * ctx.scale
        remaining = signed.clamp_min(0)
        of_value = torch.matmul(remaining.transpose(-1, -2), gradient)
        parts = torch.matmul(gradient, value.transpose(-1, -2)).mul_(remaining)
        of_scores = parts.addcmul_(signed.abs(), parts.sum(-1, keepdim=True), value=-1)
        of_key = torch.matmul(of_scores.transpose(-1, -2), query)
        return torch.matmul(of_scores, key), of_key, of_value, None, None, None


def dropped_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scaling: float | None,
    share: float,
    bias: torch.Tensor | None,
    signs: torch.Tensor,
) -> torch.Tensor:
    """Attention in which a share of the weights is set to zero and the others are scaled by 1 / (1 − share).

    Args:
        query: (N, H, L, D).
        key: (N, H, L, D).
        value: (N, H, L, D).
        scaling: of the scores; None: 1 / √D.
        share: below 1.
        bias: what is added to the scores, of a shape that goes with (N, H, L, L).
        signs: N · H · L² decisions (`dropout.draw_signs`).

    Returns:
        (N, H, L, D), in the precision of autocast where it is on.
    """
    device = query.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else query.dtype
    query = query * (scaling or query.shape[-1] ** -0.5)
    query, key, value = (tensor.to(dtype) for tensor in (query, key, value))
    signs = signs.view(*query.shape[:-1], key.shape[-2])
    with torch.autocast(device, enabled=False):
        out: torch.Tensor = _DroppedAttention.apply(query, key, value, bias, signs, 1 / (1 - share))  # type: ignore[no-untyped-call]
    return out
