"""What the losses of grades share.

Shapes: B labelled rows, C grades, L lists, n rows of the longest list.
"""

from typing import TYPE_CHECKING

from shopguide.objectives.losses.loss import Labelled

if TYPE_CHECKING:
    import torch


def expected(logits: "torch.Tensor", labelled: Labelled) -> "tuple[torch.Tensor, torch.Tensor]":
    """(B,) expected gain, Σ_c P(c | x) · gain(c), and (B,) true gain; the least gain is 0, the largest 1."""
    assert labelled.gains is not None
    gains = labelled.gains - labelled.gains.min()
    gains = gains / gains.max()
    return logits.softmax(-1) @ gains, gains[labelled.truth]


def by_list(lists: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
    """(L, n) row numbers, list by list, and (L, n) whether there is such a row."""
    import torch

    order = lists.argsort(stable=True)
    sizes = torch.unique(lists, return_counts=True)[1]
    there = torch.arange(int(sizes.max()), device=lists.device)[None] < sizes[:, None]
    rows = torch.zeros(there.shape, dtype=torch.long, device=lists.device)
    rows[there] = order
    return rows, there
