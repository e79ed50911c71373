"""What stands between the matrix products of BERT's layer and its kin's, as one kernel each on a GPU.

A layer of BERT adds a bias, drops out, adds the residual and normalises, twice; and adds a bias and activates, once.
Each of these moves the states of all tokens through memory, and autocast moves them several times, in full precision:
a third of a training step of BERT-base. `fuse` hands them to `shopguide.models.kernels` wherever autocast computes in
half precision on a GPU; anywhere else the module does what it always did. The states between layers are then in half
precision, as the matrix products round them anyway; sums, means and deviations stay in full precision.
"""

import inspect
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import torch
from torch import nn
from torch.nn.functional import gelu, linear
from transformers.activations import GELUActivation

from shopguide.models.varlen import AMPERE, HALF

WIDEST = 8192
"""Widest state that a program of the kernels holds."""
LEAST = 1 << 24
"""Numbers in the states of a batch from which on a GPU is the one that is waited for. With fewer it waits for the CPU,
which launches torch's own kernels quicker than these: 20,000 tokens of BERT-base.
"""


def fuse(model: nn.Module) -> None:
    """Let the modules of a model that have a kernel use it, in place; weights and names stay as they are."""
    for module in model.modules():
        if _adds_and_normalises(module):
            module.forward = partial(_add_norm, module)
        elif _adds_and_activates(module):
            module.forward = partial(_bias_gelu, module)


def _adds_and_normalises(module: nn.Module) -> bool:
    """Whether it is transformers' LayerNorm(dropout(dense(hidden)) + input), as BERT's two outputs are."""
    children = dict(module.named_children())
    return (
        set(children) == {"dense", "dropout", "LayerNorm"}
        and list(inspect.signature(type(module).forward).parameters) == ["self", "hidden_states", "input_tensor"]
        and type(children["LayerNorm"]) is nn.LayerNorm
        and isinstance(children["dropout"], nn.Dropout)
        and _is_biased(children["dense"])
        and children["LayerNorm"].elementwise_affine
        and _agrees(module, lambda x, residual: module.LayerNorm(module.dense(x) + residual), 2)  # type: ignore
    )


def _adds_and_activates(module: nn.Module) -> bool:
    """Whether it is transformers' gelu(dense(hidden))."""
    children = dict(module.named_children())
    return (
        set(children) == {"dense", "intermediate_act_fn"}
        and list(inspect.signature(type(module).forward).parameters) == ["self", "hidden_states"]
        and type(children["intermediate_act_fn"]) is GELUActivation
        and _is_biased(children["dense"])
        and _agrees(module, lambda x: gelu(module.dense(x)), 1)  # type: ignore
    )


@torch.no_grad()
def _agrees(module: nn.Module, formula: Callable[..., torch.Tensor], states: int) -> bool:
    """Whether it computes what its names say: another of the same form may not (X-MOD's does not normalise)."""
    dense: nn.Linear = module.dense  # type: ignore[assignment]
    widths = (dense.in_features, dense.out_features)[:states]
    own = [torch.linspace(-1, 1, 2 * width).sin().view(2, width).to(dense.weight) for width in widths]
    was_training = module.training
    module.eval()
    same = torch.allclose(type(module).forward(module, *own), formula(*own), atol=1e-3)
    module.train(was_training)
    return same


def _is_biased(dense: nn.Module) -> bool:
    return type(dense) is nn.Linear and dense.bias is not None and dense.out_features <= WIDEST


def _add_norm(self: Any, hidden_states: torch.Tensor, input_tensor: torch.Tensor) -> torch.Tensor:
    if not _serves(self.dense, hidden_states):
        plain: torch.Tensor = type(self).forward(self, hidden_states, input_tensor)
        return plain
    from shopguide.models.kernels import add_norm

    share, norm = self.dropout.p if self.training else 0.0, self.LayerNorm
    seed = int(torch.randint(1 << 31, (1,))) if share else 0
    x, residual = linear(hidden_states, self.dense.weight), input_tensor.contiguous()
    out = add_norm(
        *(x.flatten(0, -2), self.dense.bias, residual.flatten(0, -2), norm.weight, norm.bias, norm.eps, share, seed)
    )
    return out.view(x.shape)


def _bias_gelu(self: Any, hidden_states: torch.Tensor) -> torch.Tensor:
    if not _serves(self.dense, hidden_states):
        plain: torch.Tensor = type(self).forward(self, hidden_states)
        return plain
    from shopguide.models.kernels import bias_gelu

    x = linear(hidden_states, self.dense.weight)
    return bias_gelu(x.flatten(0, -2), self.dense.bias).view(x.shape)


def _serves(dense: nn.Linear, states: torch.Tensor) -> bool:
    return (
        states.is_cuda
        and torch.is_autocast_enabled("cuda")
        and torch.get_autocast_dtype("cuda") in HALF
        and states.shape[:-1].numel() * min(dense.weight.shape) >= LEAST
        and _has_kernels(states.device)
    )


@lru_cache
def _has_kernels(device: torch.device) -> bool:
    """Torch's builds for NVIDIA's GPUs come with Triton, on Linux."""
    try:
        import shopguide.models.kernels  # noqa: F401
    except ImportError:
        return False
    return torch.version.cuda is not None and torch.cuda.get_device_capability(device) >= AMPERE
