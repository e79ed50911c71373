"""Exponential moving average of the weights: validated, kept and answered with in place of the last ones.

A ← dA + (1 − d)W after each optimizer step, with d = min(decay, (1 + t) / (10 + t)) at step t, so that the first steps
are soon forgotten (Polyak and Juditsky 1992; the warm-up is TensorFlow's `ExponentialMovingAverage(num_updates)`).
"""

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback


class WeightAverage(Callback):
    """Holds the average while the model trains, and the trained weights while the model is validated and kept.

    Args:
        decay: of the average, below 1.
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self._held: list[torch.Tensor] = []
        """Of the average and the trained weights, those that the model does not have now."""
        self._model_has_average = False
        self._steps = 0

    def on_fit_start(self, _trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Begin with the weights as they are, unless a checkpoint had an average."""
        self._held = [tensor.to(module.device) for tensor in self._held] or [p.clone() for p in _trained(module)]

    def on_train_batch_start(self, _trainer: pl.Trainer, module: pl.LightningModule, _batch: Any, _index: int) -> None:
        """Train on."""
        if self._model_has_average:
            self._swap(module)

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, _outputs: Any, _batch: Any, _index: int
    ) -> None:
        """Take the step's weights into the average; a batch that only gathers gradients has none."""
        if trainer.global_step > self._steps:
            self._steps = trainer.global_step
            decay = min(self.decay, (1 + self._steps) / (10 + self._steps))
            torch._foreach_lerp_(self._held, _trained(module), 1 - decay)

    def on_validation_start(self, _trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """The average is judged, and kept if it is the best; training goes on with the next batch."""
        if not self._model_has_average:
            self._swap(module)

    def on_fit_end(self, _trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """The average is what training comes to, also where all of it was done before."""
        if not self._model_has_average:
            self._swap(module)

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint, whichever of the two the model has then."""
        return {"held": self._held, "model_has_average": self._model_has_average, "steps": self._steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """From the checkpoint."""
        self._held, self._model_has_average, self._steps = state["held"], state["model_has_average"], state["steps"]

    def _swap(self, module: pl.LightningModule) -> None:
        for own, held in zip(_trained(module), self._held, strict=True):
            kept = own.clone()
            own.copy_(held)
            held.copy_(kept)
        self._model_has_average = not self._model_has_average


def _trained(module: pl.LightningModule) -> list[torch.Tensor]:
    return [parameter.detach() for parameter in module.parameters() if parameter.requires_grad]
