"""Linear layers for inference on a CPU, their weights laid out once as oneDNN's kernels read them.

torch's own layer lays them out in each call, and copies the bias to each row before the product. BERT's GELU is done
here before the product is written to memory.

Shapes: T tokens, D inputs, K outputs.
"""

from typing import Any

import torch
from torch import nn
from torch.nn.functional import gelu
from transformers.activations import GELUActivation

from shopguide.models.activated import ActivatedLinear, TracedGelu

PLAIN = (nn.Linear, ActivatedLinear)
GELUS = (GELUActivation, TracedGelu)


class PackedLinear(nn.Module):
    """Y = f(X Wᵀ + b) without gradients, by torch's operator for oneDNN.

    Args:
        dense: gives W and b; it is not changed. What is made of it cannot be copied or saved.
        then: f, by oneDNN's name: `none`, or `gelu` with the error function.
    """

    def __init__(self, dense: nn.Linear, then: str = "none") -> None:
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(dense.weight.detach())
        self._bias = None if dense.bias is None else dense.bias.detach()
        self._then = then

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """(…, T, D) → (…, T, K)."""
        out: torch.Tensor = torch.ops.mkldnn._linear_pointwise(states, self._weight, self._bias, self._then, [], "none")
        return out


def pack(model: nn.Module) -> None:
    """Pack the linear layers of a model's backbone, in place. Heads see few rows, and may share their weights.

    Raises:
        RuntimeError, AttributeError: torch has no oneDNN here.
    """
    base: Any = model.base_model
    for module in list(base.modules()):
        if _activates(module):
            module.dense, module.intermediate_act_fn = PackedLinear(module.dense, "gelu"), nn.Identity()
        for name, dense in list(module.named_children()):
            if type(dense) in PLAIN:
                setattr(module, name, PackedLinear(dense))


def _activates(module: Any) -> bool:
    """Whether it is transformers' gelu(dense(hidden))."""
    activation: Any = getattr(module, "intermediate_act_fn", None)
    return type(activation) in GELUS and activation.act is gelu and type(module.dense) in PLAIN
