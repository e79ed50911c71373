"""A head's outputs at the labelled positions of a batch alone.

Shapes: B documents, L longest of them, M labelled positions, K outputs.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn.functional import pad

from shopguide.models.shapes import recurring
from shopguide.models.unpadded import Batch, logits_at
from shopguide.text.masking import IGNORE


def labelled_positions(labels: torch.Tensor) -> torch.Tensor:
    """(M,) places of the labels that are not -100, read row by row.

    Best asked of the CPU: on a GPU, all that it has to do is waited for. There it is NumPy's, in one thread: torch's
    many threads wait for each other where other processes make batches meanwhile, for longer than the search takes.

    Args:
        labels: (B, L).
    """
    if labels.is_cuda:
        return (labels.flatten() != IGNORE).nonzero().squeeze(1)
    return torch.from_numpy(np.flatnonzero(labels.numpy() != IGNORE))


def pinned(tensor: torch.Tensor) -> torch.Tensor:
    """In memory from which a GPU takes it while the CPU goes on, if there is one."""
    return tensor.pin_memory() if torch.cuda.is_available() else tensor


def labelled_logits(
    model: nn.Module,
    batch: Batch,
    labels: torch.Tensor,
    of: Callable[[nn.Module, Batch, torch.Tensor], torch.Tensor] = logits_at,
) -> tuple[torch.Tensor, torch.Tensor]:
    """(M, K) outputs and (M,) labels; on CPU some more, labelled -100, so that M recurs.

    Args:
        model: a transformers model with a head that works position by position.
        batch: padded, as the loader serves it; `labelled`: its `labelled_positions`, where they are known.
        labels: (B, L), -100 where there is none.
        of: what is wanted of model, batch and (M,) positions.
    """
    flat = labels.flatten()
    chosen = batch["labelled"] if "labelled" in batch else labelled_positions(labels)
    more = 0 if flat.is_cuda else recurring(len(chosen)) - len(chosen)
    return of(model, batch, pad(chosen, (0, more))), pad(flat[chosen], (0, more), value=IGNORE)
