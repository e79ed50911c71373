"""Giving a job of a search up while it trains, where others have been better at the same point."""

from collections.abc import Sequence
from typing import Protocol

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, ModelCheckpoint

from shopguide.config import UNSEEN
from shopguide.errors import Pruned


class Trial(Protocol):
    """What Optuna knows of a job."""

    @property
    def number(self) -> int:
        """From 0, in the order in which jobs were begun."""

    def report(self, value: float, step: int) -> None:
        """What the job has reached after so many epochs."""

    def should_prune(self) -> bool:
        """Whether to give the job up, by what was reported of it and of others."""


OF_ITS_LENGTH = 1000
"""Steps between two lengths of training: the median is that of jobs with as many epochs. At the same epoch of a shorter
one the learning rate has fallen further, and its score is higher for that.
"""


class PruneCallback(Callback):
    """After each epoch reports what the job has reached: the mean over its tasks so far of the metric that epochs are
    chosen by. A task that keeps its last epoch is not watched, and none is given up early on or after its last epoch.

    Args:
        trial: told of it, and asked.
        scores: of the job's tasks before this one, highest best.
        epochs: of each of them.
        lengths_apart: whether it is compared with jobs of as many epochs only.
    """

    def __init__(self, trial: Trial, scores: Sequence[float], epochs: int, lengths_apart: bool) -> None:
        self._trial, self._scores, self._before = trial, list(scores), len(scores) * epochs
        self._first = OF_ITS_LENGTH * epochs if lengths_apart else 0

    def on_validation_end(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        """Report; the exception ends training as an interruption does."""
        best = trainer.checkpoint_callback
        if not isinstance(best, ModelCheckpoint) or best.monitor is None:
            return
        reached = float(trainer.callback_metrics[best.monitor])
        scores = [*self._scores, -reached if best.mode == "min" else reached]
        epoch, mean = self._before + trainer.current_epoch + 1, sum(scores) / len(scores)
        self._trial.report(mean, self._first + epoch)
        done = (trainer.current_epoch + 1) / (trainer.max_epochs or 1)
        if UNSEEN <= done < 1 and self._trial.should_prune():
            raise Pruned(f"given up after epoch {epoch} at {mean:.4f}, where others were better")
