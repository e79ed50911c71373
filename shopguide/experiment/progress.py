"""What training tells people: where there is a terminal a bar, else a line a minute; and a line an epoch."""

import time
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, TQDMProgressBar

from shopguide.objectives.step_curves import StepCurves

SECONDS_BETWEEN_LINES = 60.0


class EpochLine(Callback):
    """One printed line an epoch, for logs as for people."""

    def __init__(self, name: str, epochs: int, curves: StepCurves) -> None:
        self.name, self.epochs, self.curves = name, epochs, curves

    def on_train_epoch_end(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        """Dev metrics and speed so far."""
        scores = {key: value for key, value in trainer.callback_metrics.items() if key.startswith("dev/")}
        shown = "  ".join(f"{key} {float(value):.4f}" for key, value in scores.items())
        done = trainer.current_epoch + 1
        print(f"{self.name}  epoch {done}/{self.epochs}  {shown}  {_pace(self.curves, done, self.epochs)}", flush=True)


class MinuteLine(Callback):
    """Where no bar is shown, a printed line a minute: of an epoch that takes hours, a log says how far it is."""

    def __init__(self, name: str, epochs: int, curves: StepCurves) -> None:
        self.name, self.epochs, self.curves = name, epochs, curves
        self._said = 0.0

    def on_train_start(self, *_: Any) -> None:
        """The first minute begins."""
        self._said = time.monotonic()

    def on_train_batch_end(self, trainer: pl.Trainer, _module: Any, _outputs: Any, _batch: Any, index: int) -> None:
        """How far the epoch is, and the last point of the loss."""
        if time.monotonic() - self._said < SECONDS_BETWEEN_LINES:
            return
        self._said = time.monotonic()
        epoch, step, steps = trainer.current_epoch, index + 1, int(trainer.num_training_batches)
        loss = f"loss {self.curves.shown['train/loss']:.3f}  " if self.curves.shown else ""
        pace = _pace(self.curves, epoch + step / steps, self.epochs)
        print(f"{self.name}  epoch {epoch + 1}/{self.epochs}  batch {step:,}/{steps:,}  {loss}{pace}", flush=True)


class StepBar(TQDMProgressBar):
    """A bar an epoch, with the last points of the curves."""

    def __init__(self, curves: StepCurves) -> None:
        super().__init__(leave=False)
        self.curves = curves

    def get_metrics(self, trainer: pl.Trainer, module: pl.LightningModule) -> dict[str, Any]:
        """Loss and speed of training, how full batches are, how long they are waited for, and what validation shows."""
        shown: dict[str, Any] = dict(super().get_metrics(trainer, module))
        if points := self.curves.shown:
            shown |= {"loss": f"{points['train/loss']:.3f}", "tokens/s": f"{points['train/tokens_per_second']:,.0f}"}
            shares = {"MFU": "mfu", "packed": "packing_efficiency", "waiting": "waiting_share"}
            shown |= {name: f"{points[f'train/{curve}']:.0%}" for name, curve in shares.items()}
        return shown


def _pace(curves: StepCurves, done: float, epochs: int) -> str:
    """Speed so far, and how long the rest takes when so many epochs are done."""
    left = curves.seconds / done * (epochs - done)
    return f"{curves.tokens_per_second:,.0f} tokens/s  {left:,.0f} s left"
