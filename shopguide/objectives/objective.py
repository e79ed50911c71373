"""What all objectives share: the optimizer, and what is logged at each step."""

from abc import ABC, abstractmethod
from typing import Any

import pytorch_lightning as pl
import torch
from torch import nn

from shopguide.config import OptimizerConfig
from shopguide.models.dropout import cheapen
from shopguide.models.unpadded import Batch
from shopguide.objectives.optimizer import configure


class Objective(pl.LightningModule, ABC):
    """A model and the loss that trains it.

    Training steps log `train/loss`; the gradient's norm is logged where it is clipped. Validation metrics begin with
    `dev/`.
    """

    def __init__(self, model: nn.Module, optimizer: OptimizerConfig) -> None:
        super().__init__()
        cheapen(model)
        self.model = model
        self.optimizer_config = optimizer

    @abstractmethod
    def loss(self, batch: Batch) -> torch.Tensor:
        """The scalar loss of a batch."""

    def training_step(self, batch: Batch, _index: int) -> torch.Tensor:
        """One step; Lightning calls it."""
        loss = self.loss(batch)
        if self._logs_now():
            self.log("train/loss", loss.detach(), prog_bar=True)
        return loss

    def on_before_optimizer_step(self, _optimizer: torch.optim.Optimizer) -> None:
        """Log the norm of the gradient, before it is clipped."""
        if self._logs_now():
            norms = [p.grad.norm() for p in self.parameters() if p.grad is not None]
            self.log("train/grad_norm", torch.stack(norms).norm())
            self.log("train/lr", self.trainer.optimizers[0].param_groups[0]["lr"])

    def configure_optimizers(self) -> Any:
        """AdamW and the schedule over all of the phase's steps."""
        scaled = self.trainer.precision == "16-mixed"  # its scaler and clipping cannot go with the fused kernel
        steps = int(self.trainer.estimated_stepping_batches)
        return configure(self.model, self.optimizer_config, steps, fused=not scaled)

    def _logs_now(self) -> bool:
        """`self.log` costs a millisecond: only where a point of the curve is due."""
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        return (self.global_step + 1) % every == 0
