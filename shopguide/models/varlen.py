"""Attention inside documents that lie end to end, by the variable-length kernel that a GPU has in half precision.

FlashAttention-2 (Dao 2023, arXiv:2307.08691) in torch's own build. `torch.nn.attention.varlen`, which calls the same
operator, knows no dropout, and models are trained with it.

Shapes: T places, H heads, D width of a head.
"""

from functools import lru_cache

import torch

from shopguide.models.layout import Layout

HALF = (torch.float16, torch.bfloat16)
AMPERE = (8, 0)
"""First generation of GPUs that has the kernel."""
WIDEST, MULTIPLE = 256, 8
"""Widths of a head that it takes."""


def serves(query: torch.Tensor) -> bool:
    """Whether there is a kernel for queries of this kind: (…, D)."""
    width = query.shape[-1]
    fits = query.is_cuda and query.dtype in HALF and width <= WIDEST and width % MULTIPLE == 0
    return fits and _has_kernel(query.device)


@lru_cache
def _has_kernel(device: torch.device) -> bool:
    return torch.version.cuda is not None and torch.cuda.get_device_capability(device) >= AMPERE


def varlen_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    layout: Layout,
    scaling: float | None,
    dropout: float,
    causal: bool,
    window: int | None,
) -> torch.Tensor:
    """softmax(QKᵀ · scaling) V inside each document: (T, H, D) thrice → (T, H, D).

    Args:
        query: documents as `layout` lays them.
        key: as `query`.
        value: as `query`.
        layout: where the documents lie.
        scaling: 1 / √D where none is given.
        dropout: share of the weights dropped.
        causal: tokens see only those before them.
        window: tokens see those less than this far away; None: all of their document.
    """
    bounds, longest = layout.on(query.device).bounds, layout.longest
    reach = -1 if window is None else window - 1
    out: torch.Tensor = torch.ops.aten._flash_attention_forward(
        *(query, key, value, bounds, bounds, longest, longest, dropout, causal, False),
        scale=scaling,
        window_size_left=reach,
        window_size_right=0 if causal else reach,
    )[0]
    return out
