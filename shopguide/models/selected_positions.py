"""The LM head on the positions that carry loss only: the same numbers, a fraction of the work.

A vocabulary is tens of thousands wide and six positions of seven carry no masked-LM loss. Heads work position by
position, so handing them only the chosen ones changes nothing. A hook between the backbone and its head does it, so any
transformers architecture is served.

Shapes: B batch, L length, D width, M chosen positions, V vocabulary.
"""

from typing import Any

import torch
from torch import nn


def logits_at(model: nn.Module, positions: torch.Tensor, **inputs: torch.Tensor) -> torch.Tensor:
    """(M, V) logits at the chosen positions.

    Args:
        model: a transformers model with an LM head.
        positions: (B, L) bool, M of them true.
        inputs: (B, L) `input_ids`, `attention_mask`, …
    """

    def keep_chosen(_module: nn.Module, _arguments: Any, output: Any) -> Any:
        hidden = output[0]
        # (B, L, D) → (1, M, D): to the head it is one short sequence.
        output["last_hidden_state"] = hidden[positions][None]
        return output

    handle = model.base_model.register_forward_hook(keep_chosen)  # type: ignore[union-attr]
    try:
        logits: torch.Tensor = model(**inputs, return_dict=True).logits
    finally:
        handle.remove()
    return logits[0]
