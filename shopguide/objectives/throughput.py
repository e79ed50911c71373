"""Tokens a second: on the progress bar and in the tracked curves."""

import time
from typing import Any

import pytorch_lightning as pl


class Throughput(pl.Callback):
    """Count real (unpadded) tokens of the training batches; log `train/tokens_per_second` where a point is due."""

    def __init__(self) -> None:
        self.tokens = 0
        self.seconds = 0.0
        self._begun = 0.0
        self._window_tokens, self._window_seconds = 0, 0.0

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Start the clock: validation and checkpoints do not count."""
        self._begun = time.perf_counter()

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, _outputs: Any, batch: dict[str, Any], _i: int
    ) -> None:
        """Stop it, and log the speed since the last point."""
        seconds, tokens = time.perf_counter() - self._begun, sum(batch["lengths"])
        self.tokens += tokens
        self.seconds += seconds
        self._window_tokens += tokens
        self._window_seconds += seconds
        if trainer.global_step % trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            speed = self._window_tokens / max(self._window_seconds, 1e-9)
            module.log("train/tokens_per_second", speed, prog_bar=True)
            self._window_tokens, self._window_seconds = 0, 0.0

    @property
    def tokens_per_second(self) -> float:
        """Over the whole phase."""
        return self.tokens / self.seconds if self.seconds else 0.0
