"""AdamW with weight-decay groups, and the learning rate's path over a phase."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from shopguide.config import OptimizerConfig


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices decay; biases and normalisation weights (tensors of one dimension) do not."""
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]


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
        parameter_groups(model, config.weight_decay), lr=config.lr, betas=config.betas, eps=config.eps, fused=fused
    )
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule(config, total_steps))
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
