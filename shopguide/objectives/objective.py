"""What all objectives share: the step, the optimizer and the clipping of gradients."""

from abc import ABC, abstractmethod
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.strategies import DeepSpeedStrategy, FSDPStrategy, ModelParallelStrategy
from torch import nn

from shopguide.config import OptimizerConfig
from shopguide.models.activated import keep_once
from shopguide.models.dropout import cheapen
from shopguide.models.fused import fuse
from shopguide.models.unpadded import Batch
from shopguide.objectives.optimizer import configure


class Objective(pl.LightningModule, ABC):
    """A model and the loss that trains it.

    Validation metrics begin with `dev/`.
    """

    def __init__(self, model: nn.Module, optimizer: OptimizerConfig) -> None:
        super().__init__()
        cheapen(model)
        fuse(model)
        keep_once(model)
        self.model = model
        self.optimizer_config = optimizer
        self.passes = 1
        """Runs of the model that the loss of a batch is made of."""
        self.listed = False
        """Whether a batch must be of whole lists."""
        self.grad_norm: torch.Tensor | None = None
        """Of the last step's gradient, before it was clipped; None where it was not clipped by norm."""

    @abstractmethod
    def loss(self, batch: Batch) -> torch.Tensor:
        """The scalar loss of a batch."""

    def positions(self, batch: Batch) -> int | torch.Tensor:
        """Number of positions at which the model's head works; where it is on the device, it is not waited for."""
        return len(batch["lengths"])

    def training_step(self, batch: Batch, _index: int) -> torch.Tensor:
        """One step; Lightning calls it."""
        return self.loss(batch)

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip as Lightning does, and keep the norm that clipping by norm has to compute anyway."""
        by_norm = gradient_clip_algorithm in (None, "norm") and not isinstance(
            self.trainer.strategy, (FSDPStrategy, ModelParallelStrategy, DeepSpeedStrategy)
        )
        if by_norm and gradient_clip_val:
            trained = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            self.grad_norm = torch.nn.utils.clip_grad_norm_(trained, float(gradient_clip_val))
        else:
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)

    def configure_optimizers(self) -> Any:
        """AdamW and the schedule over all of the phase's steps."""
        scaled = self.trainer.precision == "16-mixed"  # its scaler and clipping cannot go with the fused kernel
        steps = int(self.trainer.estimated_stepping_batches)
        return configure(self.model, self.optimizer_config, steps, fused=not scaled)
