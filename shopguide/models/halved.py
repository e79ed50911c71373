"""A copy of a model for inference on a CPU, in bfloat16 throughout.

Autocast converts what goes into each matrix product, and what comes out of each norm: a third of the time of a small
encoder. In the copy, states are in the precision that the next product takes; only layer norms keep full weights. Its
linear layers are packed where torch can.
"""

from copy import deepcopy
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

from torch import nn

from shopguide.models.packed import pack
from shopguide.models.unpadded import keeps_verdict, probe

ROUGHLY = 0.1
"""How far the copy's answers may be from the model's, as a share of the largest one."""

_making = RLock()
_copies: "WeakKeyDictionary[nn.Module, tuple[Any, nn.Module | None]]" = WeakKeyDictionary()


def halved(model: nn.Module) -> nn.Module | None:
    """The copy of a model as its weights are now; None where it does not run, or does not give the model's answers."""
    state = [(weight.data_ptr(), weight._version) for weight in model.parameters()]
    with _making:
        known = _copies.get(model)
        if known is None or known[0] != state:
            _copies[model] = known = state, _tried(model)
    return known[1]


def _tried(model: nn.Module) -> nn.Module | None:
    exact = probe(model)
    for make in (_packed, in_bfloat16):
        try:
            copy = make(model)
            keeps_verdict(copy, model)
            rough = probe(copy).float()
        except (RuntimeError, AttributeError):  # of layers that mix precisions, or use their weights, in their own way
            continue
        if bool((rough - exact).abs().max() <= ROUGHLY * exact.abs().max()):
            return copy
    return None


def _packed(model: nn.Module) -> nn.Module:
    copy = in_bfloat16(model)
    pack(copy)
    return copy


def in_bfloat16(model: nn.Module) -> nn.Module:
    """A copy with weights in bfloat16; those of layer norms are the model's own."""
    norms = {id(weight) for module in model.modules() if type(module) is nn.LayerNorm for weight in module.parameters()}
    kept = {
        id(weight): weight if id(weight) in norms else nn.Parameter(weight.detach().bfloat16(), requires_grad=False)
        for weight in model.parameters()
    }
    return deepcopy(model, kept)
