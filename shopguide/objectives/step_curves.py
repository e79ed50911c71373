"""What is seen of the steps: loss, gradient, learning rate, speed, and how long data was waited for."""

import time
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
import torch

from shopguide.models.flops import Cost, forward_cost, measured_peak
from shopguide.models.unpadded import places


@dataclass
class Window:
    """What was done since the last point."""

    tokens: int = 0
    places: int = 0
    flops: float | torch.Tensor = 0.0
    seconds: float = 0.0
    waiting: float = 0.0

    def add(self, **amounts: float | torch.Tensor) -> None:
        """A step more."""
        for name, amount in amounts.items():
            setattr(self, name, getattr(self, name) + amount)


class StepCurves(pl.Callback):
    """Log a point of each curve every `log_every_n_steps` steps.

    They go straight to the logger: Lightning's `self.log` costs a millisecond.

    `train/loss`, `train/lr`; `train/grad_norm`, before clipping; `train/tokens_per_second`, real ones, validation and
    checkpoints left out; `train/waiting_share`, the part of that time in which the next batch was waited for;
    `train/packing_efficiency`, real tokens among the places that the model worked on; `train/mfu` (`models.flops`).
    """

    def __init__(self) -> None:
        self.tokens, self.seconds = 0, 0.0
        self.shown: dict[str, float] = {}
        """The last points, for a progress bar."""
        self._begun = self._ended = 0.0
        self._last_step = 0
        self._window = Window()
        self._cost: Cost | None = None
        self._peak = 0.0

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Count what the model costs, and measure what the machine can do."""
        mixed = str(trainer.precision)
        dtype = torch.bfloat16 if "bf16" in mixed else torch.float16 if "16" in mixed else torch.float32
        self._cost, self._peak = forward_cost(module.model), measured_peak(module.device, dtype)  # type: ignore[arg-type]

    def on_train_start(self, *_: Any) -> None:
        """An epoch that was cut off goes on without being begun again: its next batch is waited for from here."""
        self._ended = time.perf_counter()

    def on_train_epoch_start(self, *_: Any) -> None:
        """The first batch of an epoch is waited for from here."""
        self._ended = time.perf_counter()

    def on_train_batch_start(self, *_: Any) -> None:
        """The batch is here."""
        self._begun = time.perf_counter()

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: dict[str, Any], _index: int
    ) -> None:
        """The step is done."""
        now, tokens = time.perf_counter(), sum(batch["lengths"])
        self.tokens += tokens
        self.seconds += now - self._ended
        assert self._cost is not None
        self._window.add(
            tokens=tokens,
            places=places(module.model, batch),  # type: ignore[arg-type]
            flops=self._cost.of_step(batch["lengths"], module.positions(batch)),  # type: ignore[operator]
            seconds=now - self._ended,
            waiting=self._begun - self._ended,
        )
        if self._is_due(trainer):
            self._last_step = trainer.global_step
            self.shown = self._points(trainer, module, outputs)
            for logger in trainer.loggers:
                logger.log_metrics(self.shown, trainer.global_step)
            self._window = Window()
        self._ended = time.perf_counter()

    def on_validation_end(self, *_: Any) -> None:
        """Validation within an epoch is not waiting."""
        self._ended = time.perf_counter()

    def _is_due(self, trainer: pl.Trainer) -> bool:
        every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
        return trainer.global_step % every == 0 and trainer.global_step != self._last_step

    def _points(self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any) -> dict[str, float]:
        window, seconds = self._window, max(self._window.seconds, 1e-9)
        points = {
            "train/loss": float(outputs["loss"]),
            "train/lr": float(max(group["lr"] for group in trainer.optimizers[0].param_groups)),
            "train/tokens_per_second": window.tokens / seconds,
            "train/waiting_share": window.waiting / seconds,
            "train/packing_efficiency": window.tokens / window.places,
            "train/mfu": float(window.flops) / seconds / self._peak,
        }
        norm = getattr(module, "grad_norm", None)
        return points if norm is None else points | {"train/grad_norm": float(norm)}

    @property
    def tokens_per_second(self) -> float:
        """Over the whole phase."""
        return self.tokens / self.seconds if self.seconds else 0.0
