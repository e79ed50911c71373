"""Attention written out as two products and a softmax, where that is faster than the library's own kernel.

That is so for inference in bfloat16 on CPUs that have instructions for it but no matrix unit: the kernel converts to
full precision there, at half to two thirds of the speed. Scores are in bfloat16, too: an answer differs from the
kernel's as bfloat16 does from full precision.

Shapes: N windows, H heads, L tokens, D width of a head.
"""

import math
from functools import lru_cache

import torch
from torch.nn.functional import pad, scaled_dot_product_attention

from shopguide.machine import bf16_in_vectors_only

SCORES = 1 << 20
"""Bytes of scores at once, which stay in a core's cache."""
VECTOR = 32
"""Numbers that the softmax takes at once; it takes the last few of a row that is no multiple one by one."""


def bidirectional_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bias: torch.Tensor | None, scaling: float | None
) -> torch.Tensor:
    """softmax(QKᵀ · scaling + bias) V, by what is fastest.

    Args:
        query: (N, H, L, D).
        key: as `query`.
        value: as `query`.
        bias: (N or 1, 1, L or 1, L).
        scaling: 1 / √D where none is given.

    Returns:
        (N, H, L, D).
    """
    if not _worth(query):
        return scaled_dot_product_attention(query, key, value, bias, scale=scaling)
    count, heads, length, width = query.shape
    step = max(1, SCORES // max(1, query.element_size() * heads * length * length))
    out = torch.empty_like(query, memory_format=torch.contiguous_format)
    for start in range(0, count, step):
        piece = slice(start, start + step)
        some = bias if bias is None or len(bias) == 1 else bias[piece]
        _written_out(query[piece], key[piece], value[piece], some, scaling or width**-0.5, out[piece])
    return out


def _written_out(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    bias: torch.Tensor | None,
    scaling: float,
    out: torch.Tensor,
) -> None:
    queries, keys, values, found = (tensor.flatten(0, 1) for tensor in (query, key, value, out))
    if more := -keys.shape[1] % VECTOR:
        keys, values = (pad(tensor, (0, 0, 0, more)) for tensor in (keys, values))
        bias = pad(queries.new_zeros(1, 1, 1, queries.shape[1]) if bias is None else bias, (0, more), value=-math.inf)
    if bias is None:
        scores = torch.baddbmm(queries.new_zeros(1), queries, keys.transpose(1, 2), beta=0, alpha=scaling)
    else:
        added = bias.expand(len(query), query.shape[1], -1, -1).flatten(0, 1)
        scores = torch.baddbmm(added, queries, keys.transpose(1, 2), alpha=scaling)
    torch.bmm(scores.softmax(-1), values, out=found)


def _worth(query: torch.Tensor) -> bool:
    half = query.dtype == torch.bfloat16 and query.device.type == "cpu"
    return half and not torch.is_grad_enabled() and _in_vectors_only()


_in_vectors_only = lru_cache(bf16_in_vectors_only)
