"""AdamW with weight-decay groups, and the learning rate's path over a phase."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from shopguide.config import OptimizerConfig
from shopguide.models.backbone import layer_stack


def parameter_groups(model: nn.Module, config: OptimizerConfig) -> list[dict[str, Any]]:
    """Matrices decay; biases and normalisation weights (tensors of one dimension) do not.

    With layer-wise decay, a layer's learning rate is `layer_decay` times that of the layer above it; the embeddings
    lie below all, the head above (Howard and Ruder 2018, discriminative fine-tuning; Clark et al. 2020).
    """
    groups: dict[tuple[int, bool], list[nn.Parameter]] = {}
    top, depth_of = _depths(model) if config.layer_decay < 1 else (0, lambda name: 0)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((depth_of(name), parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": config.lr * config.layer_decay ** (top - depth),
            "weight_decay": config.weight_decay if matrices else 0.0,
        }
        for (depth, matrices), parameters in sorted(groups.items(), key=lambda item: (item[0][0], not item[0][1]))
    ]


def _depths(model: nn.Module) -> tuple[int, Callable[[str], int]]:
    """The head's depth, and that of a parameter by its name: 0 the embeddings, then layer by layer."""
    stack = layer_stack(model)
    names = {id(module): f"{name}." for name, module in model.named_modules()}
    depths = {names[id(layer)]: number + 1 for number, layer in enumerate(stack)}
    for part in model.base_model.children():  # type: ignore[union-attr]
        if not any(module is stack for module in part.modules()):
            holds_words = any(isinstance(module, nn.Embedding) for module in part.modules())
            depths |= {names[id(part)]: 0} if holds_words else {}

    def depth(name: str) -> int:
        return next((number for prefix, number in depths.items() if name.startswith(prefix)), len(stack) + 1)

    return len(stack) + 1, depth


def schedule(config: OptimizerConfig, total_steps: int) -> Callable[[int], float]:
    """Factor on the learning rate at each optimizer step.

    Warm-up is linear over `warmup_share` of the steps. `wsd` (warmup-stable-decay, Hu et al. 2024, arXiv:2404.06395)
    falls linearly over the last `decay_share`.
    """
    warmup = math.ceil(config.warmup_share * total_steps)
    decay = max(1, math.ceil(config.decay_share * total_steps))

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / max(1, total_steps - warmup))
        if config.schedule == "linear":
            return 1 - done
        if config.schedule == "cosine":
            return 0.5 * (1 + math.cos(math.pi * done))
        if config.schedule == "wsd":
            return min(1.0, max(0.0, (total_steps - step) / decay))
        return 1.0

    return factor


def configure(model: nn.Module, config: OptimizerConfig, total_steps: int, fused: bool = True) -> dict[str, Any]:
    """What `LightningModule.configure_optimizers` returns.

    Args:
        model: its trainable parameters are optimised.
        config: AdamW and schedule.
        total_steps: optimizer steps of the phase.
        fused: update all parameters in one kernel (a third off the step of a small model); not with a gradient scaler.
    """
    optimizer = torch.optim.AdamW(
        parameter_groups(model, config), lr=config.lr, betas=config.betas, eps=config.eps, fused=fused
    )
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule(config, total_steps))
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
