"""What is seen of the steps: loss, gradient, learning rate, speed, and how long data was waited for."""

import time
from typing import Any

import pytorch_lightning as pl


class StepCurves(pl.Callback):
    """Log a point of each curve every `log_every_n_steps` steps.

    They go straight to the logger: Lightning's `self.log` costs a millisecond.

    `train/loss`, `train/lr`; `train/grad_norm`, before clipping; `train/tokens_per_second`, real ones, validation and
    checkpoints left out; `train/waiting_share`, the part of that time in which the next batch was waited for.
    """

    def __init__(self) -> None:
        self.tokens, self.seconds = 0, 0.0
        self.shown: dict[str, float] = {}
        """The last points, for a progress bar."""
        self._begun = self._ended = 0.0
        self._last_step = 0
        self._window = [0, 0.0, 0.0]
        """Tokens, seconds and seconds of waiting since the last point."""

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
        self._window[0] += tokens
        self._window[1] += now - self._ended
        self._window[2] += self._begun - self._ended
        if self._is_due(trainer):
            self._last_step = trainer.global_step
            self.shown = self._points(trainer, module, outputs)
            for logger in trainer.loggers:
                logger.log_metrics(self.shown, trainer.global_step)
            self._window = [0, 0.0, 0.0]
        self._ended = time.perf_counter()

    def on_validation_end(self, *_: Any) -> None:
        """Validation within an epoch is not waiting."""
        self._ended = time.perf_counter()

    def _is_due(self, trainer: pl.Trainer) -> bool:
        every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
        return trainer.global_step % every == 0 and trainer.global_step != self._last_step

    def _points(self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any) -> dict[str, float]:
        tokens, seconds, waiting = self._window
        seconds = max(seconds, 1e-9)
        points = {
            "train/loss": float(outputs["loss"]),
            "train/lr": float(trainer.optimizers[0].param_groups[0]["lr"]),
            "train/tokens_per_second": tokens / seconds,
            "train/waiting_share": waiting / seconds,
        }
        norm = getattr(module, "grad_norm", None)
        return points if norm is None else points | {"train/grad_norm": float(norm)}

    @property
    def tokens_per_second(self) -> float:
        """Over the whole phase."""
        return self.tokens / self.seconds if self.seconds else 0.0
