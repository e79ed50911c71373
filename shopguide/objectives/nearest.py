"""The nearest of many vectors, in bounded memory. Shapes: Q queries, M vectors, D width, K nearest."""

import torch

AT_ONCE = 1 << 26
"""Products of two vectors held at a time."""


def nearest(queries: torch.Tensor, among: torch.Tensor, count: int) -> torch.Tensor:
    """(Q, D) and (M, D) → (Q, K) row numbers of the K that have the greatest inner products, the greatest first."""
    parts = torch.split(queries, max(1, AT_ONCE // len(among)))
    return torch.cat([(part @ among.T).topk(min(count, len(among))).indices for part in parts])
