"""From a classifier's outputs to probabilities: each target owns a run of the outputs.

Shapes: B batch, C classes of a target, K = ΣC outputs.
"""

from collections.abc import Sequence

import torch


def posteriors(logits: torch.Tensor, sizes: Sequence[int]) -> list[torch.Tensor]:
    """(B, K) logits → for each target, (B, C) probabilities over its classes: the softmax of its run."""
    return [part.softmax(-1) for part in torch.split(logits.float(), list(sizes), dim=-1)]
