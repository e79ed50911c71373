"""The checkpoint from which training goes on to the digit: after a step or with an epoch, and never in between.

Ctrl-C and SIGTERM ask training to stop at the next such point. Asked twice, it stops at once and goes on from the last.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, Checkpoint

from shopguide.experiment.ranks import own_rank
from shopguide.text.batches import BatchLoader

SAVE_EVERY = 600.0
"""Seconds of an epoch between two checkpoints: what a power cut may cost."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether training was asked to stop."""

    def __init__(self) -> None:
        self.is_asked = False
        self._heeded: list[signal.Signals] = []

    @contextlib.contextmanager
    def by_signals(self) -> Iterator[None]:
        """For as long as the block lasts, a first signal asks, and a second one interrupts; what is ignored stays so.

        Raises:
            KeyboardInterrupt: it was stopped.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.getsignal(number) for number in self._heeded}
        self.heed()
        try:
            yield
        except SystemExit:  # Lightning makes one of Ctrl-C
            raise KeyboardInterrupt from None
        except Exception as error:
            if self.is_asked:  # which is not to be forgotten for it
                raise KeyboardInterrupt from error
            raise
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self.is_asked:
            raise KeyboardInterrupt

    def heed(self) -> None:
        """Take the signals, once more when training begins: Lightning takes SIGTERM for a word between processes, and
        they wait for each other for ever.
        """
        for number in self._heeded:
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if own_rank():  # rank 0 is asked, and ends the others
            return
        if self.is_asked:
            raise KeyboardInterrupt
        self.is_asked = True
        told = "stopping after this step, or with the epoch where it is being validated; once more stops at once"
        print(told, file=sys.stderr, flush=True)


class LastCheckpoint(Checkpoint):
    """Writes the checkpoint after each epoch, every ten minutes within one, and where training stops.

    Of several processes rank 0 writes, which waits for no other: they hold the same.

    Args:
        path: of the checkpoint.
        train: the loader of the steps, whose place in the data is part of it. (Lightning restores it too late where the
            number of steps was asked for before training, as a schedule does.)
        stop: asked between two steps.
    """

    def __init__(self, path: Path, train: BatchLoader, stop: Stop) -> None:
        self.path, self.train, self.stop = path, train, stop
        self._saved = 0.0

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return self.train.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """From the checkpoint."""
        self.train.load_state_dict(state)

    def on_train_start(self, *_: Any) -> None:
        """What was there before is saved."""
        self._saved = time.monotonic()
        self.stop.heed()

    def on_train_batch_end(
        self, trainer: pl.Trainer, _module: pl.LightningModule, _outputs: Any, _batch: Any, index: int
    ) -> None:
        """The step is complete, unless it only gathers gradients; before validation, it is the epoch that is saved."""
        if (index + 1) % trainer.accumulate_grad_batches or _is_validated_next(trainer, index):
            return
        if self.stop.is_asked or time.monotonic() - self._saved > SAVE_EVERY:
            self._save(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        """After validation: the epoch is complete."""
        self._save(trainer)

    def _save(self, trainer: pl.Trainer) -> None:
        if trainer.is_global_zero:
            draft = self.path.with_suffix(".draft")
            with _alone(trainer):
                trainer.save_checkpoint(draft)
            os.replace(draft, self.path)
            self._saved = time.monotonic()
        if self.stop.is_asked:
            raise KeyboardInterrupt


class SeededSteps(Callback):
    """Dropout of a step is drawn by the step's own number, however often training was stopped before it.

    Args:
        seed: of the phase.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, _batch: Any, index: int) -> None:
        """Seed it: on the device alone, as `torch.manual_seed` seeks all kinds of devices for a quarter millisecond."""
        seed = hash((self.seed, trainer.current_epoch, index, own_rank()))
        torch.default_generator.manual_seed(seed)
        if module.device.type == "cuda":
            torch.cuda.manual_seed(seed)


def _is_validated_next(trainer: pl.Trainer, index: int) -> bool:
    batches = trainer.val_check_batch
    counted = index if trainer.check_val_every_n_epoch is not None else trainer.fit_loop.total_batch_idx
    within = isinstance(batches, int) and (counted + 1) % batches == 0
    return within or index + 1 == trainer.num_training_batches


@contextlib.contextmanager
def _alone(trainer: pl.Trainer) -> Iterator[None]:
    """No process waits for another: they may not be where this one is."""
    trainer.strategy.barrier = lambda *_args, **_more: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        del trainer.strategy.barrier
