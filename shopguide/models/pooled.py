"""The last linear layer of a sequence classifier, and what it sees.

Shapes: K outputs, D inputs of that layer.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn


def answer_layer(model: nn.Module) -> nn.Linear:
    """The layer that gives a transformers sequence classifier's K outputs: the last linear one that has as many."""
    config: Any = model.config
    linear = (module for module in model.modules() if isinstance(module, nn.Linear))
    return [layer for layer in linear if layer.out_features == config.num_labels][-1]


def answer_dropout(model: nn.Module) -> float:
    """Share of what that layer sees that training drops: of the dropout layers outside the backbone, the most."""
    inside = set(model.base_model.modules())  # type: ignore[union-attr]
    shares = (m.p for m in model.modules() if isinstance(m, nn.Dropout) and m not in inside)
    return max(shares, default=0.0)


def set_answers(model: nn.Module, start: int, weights: np.ndarray, biases: np.ndarray) -> None:
    """Of a run of the outputs: weights, and biases where the layer has any.

    Args:
        model: transformers sequence classifier.
        start: the first output of the run.
        weights: (C, D) for C outputs.
        biases: (C,).
    """
    layer, own = answer_layer(model), slice(start, start + len(weights))
    with torch.no_grad():
        layer.weight[own] = torch.from_numpy(weights).to(layer.weight)
        if layer.bias is not None:
            layer.bias[own] = torch.from_numpy(biases).to(layer.bias)


@contextlib.contextmanager
def without_answer_layer(model: nn.Module) -> Iterator[None]:
    """Inside, for all threads, the model's outputs are what that layer would see of them."""
    layer = answer_layer(model)
    name = next(name for name, module in model.named_modules() if module is layer)
    model.set_submodule(name, nn.Identity())
    try:
        yield
    finally:
        model.set_submodule(name, layer)
