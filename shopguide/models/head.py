"""The last layer of an LM head, and what it sees: for a loss that does without the logits of all positions at once.

Shapes: M positions, C width, V vocabulary.
"""

from contextvars import ContextVar
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.nn.functional import linear

from shopguide.models.unpadded import Batch, exactly, logits_at, made_up

TOLERANCE = 1e-4
"""Of the logits, as a share of the largest one."""
_hooking = Lock()
_seen: ContextVar[tuple[nn.Module, list[torch.Tensor]] | None] = ContextVar("layer, and what it has seen", default=None)
_verdicts: "WeakKeyDictionary[nn.Module, bool]" = WeakKeyDictionary()


def output_layer(model: nn.Module) -> nn.Linear | None:
    """The layer that gives a transformers LM its logits; None where they are made in another way (scaled, capped), or
    where the layer's weights are not whole in this process.
    """
    layer: Any = model.get_output_embeddings()  # type: ignore[operator]
    if not isinstance(layer, nn.Linear) or type(layer.weight.data) is not torch.Tensor:
        return None
    if tuple(layer.weight.shape) != (layer.out_features, layer.in_features):
        return None
    if model not in _verdicts:
        _verdicts[model] = _gives_logits(model, layer)
    return layer if _verdicts[model] else None


def _gives_logits(model: nn.Module, layer: nn.Linear) -> bool:
    """Tried once, on a few made-up documents."""
    batch = made_up(model)
    everywhere = batch["attention_mask"].flatten().nonzero().squeeze(1)
    with exactly(model):
        logits = logits_at(model, batch, everywhere)
        try:
            found = linear(states_at(model, batch, everywhere), layer.weight, layer.bias)
        except Exception:  # a head that does not call its last layer, or not as others do
            return False
    return found.shape == logits.shape and bool((found - logits).abs().max() <= TOLERANCE * logits.abs().max())


def states_at(model: nn.Module, batch: Batch, positions: torch.Tensor) -> torch.Tensor:
    """(M, C) what the `output_layer` sees at the chosen positions; it works on the first of them only.

    Args:
        model: a transformers model with an LM head.
        batch: padded, as the loader serves it.
        positions: (M,) places in the padded batch, read row by row.
    """
    layer: nn.Module = model.get_output_embeddings()  # type: ignore[operator]
    with _hooking:
        if _look not in layer._forward_pre_hooks.values():
            layer.register_forward_pre_hook(_look)
    token = _seen.set((layer, []))
    try:
        logits_at(model, batch, positions)
        seen = _seen.get()
        assert seen is not None
        (states,) = seen[1]
    finally:
        _seen.reset(token)
    return states.flatten(0, -2)


def _look(layer: nn.Module, given: tuple[torch.Tensor, ...]) -> Any:
    """Forward hook, which does nothing but for the calls of a thread inside `states_at`."""
    seen = _seen.get()
    if seen is None or seen[0] is not layer:
        return None
    seen[1].append(given[0])
    return (given[0][..., :1, :].detach(),)
