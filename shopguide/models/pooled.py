"""What the last linear layer of a sequence classifier sees."""

import contextlib
from collections.abc import Iterator

from torch import nn


def answer_layer(model: nn.Module) -> nn.Linear:
    """The layer that gives a transformers sequence classifier's outputs: the last linear one."""
    return [module for module in model.modules() if isinstance(module, nn.Linear)][-1]


@contextlib.contextmanager
def without_answer_layer(model: nn.Module) -> Iterator[None]:
    """Inside, the model's outputs are what that layer would see of them."""
    layer = answer_layer(model)
    name = next(name for name, module in model.named_modules() if module is layer)
    model.set_submodule(name, nn.Identity())
    try:
        yield
    finally:
        model.set_submodule(name, layer)
