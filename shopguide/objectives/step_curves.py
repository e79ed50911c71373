"""What is seen of the steps: loss, gradient, learning rate, speed, and how long data was waited for."""

import contextlib
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


class Reading:
    """Numbers of a step, on their way from its device: a GPU hands them over when it gets there, and nobody waits."""

    def __init__(self, step: int, numbers: dict[str, float | torch.Tensor]) -> None:
        self.step, self._numbers = step, numbers
        there = {n: v.detach().double() for n, v in numbers.items() if isinstance(v, torch.Tensor) and v.is_cuda}
        self._names, self._arrived = list(there), torch.cuda.Event() if there else None  # type: ignore[no-untyped-call]
        if self._arrived is not None:
            self._values = torch.stack(list(there.values())).to("cpu", non_blocking=True)
            self._arrived.record()

    @property
    def is_here(self) -> bool:
        """Whether there is nothing to wait for."""
        return self._arrived is None

    def points(self) -> dict[str, float]:
        """The numbers; waits for the step where it is not done."""
        found = self._numbers
        if self._arrived is not None:
            self._arrived.synchronize()
            found = found | dict(zip(self._names, self._values.tolist(), strict=True))
        return {name: float(value) for name, value in found.items()}


class StepCurves(pl.Callback):
    """Log a point of each curve every `log_every_n_steps` steps.

    Where several processes train, each takes the others to have as much to do as itself.

    They go straight to the logger: Lightning's `self.log` costs a millisecond. A GPU's points are logged when the next
    step has been launched, so that it never stands idle while they are asked for.

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
        self.peak = 0.0
        """Operations a second of the machine's matrix products."""
        self._reading: Reading | None = None

    def state_dict(self) -> dict[str, Any]:
        """What was done so far, and since the last point, for the checkpoint."""
        window = {name: float(amount) for name, amount in vars(self._window).items()}
        return {"tokens": self.tokens, "seconds": self.seconds, "window": window}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """From the checkpoint."""
        self.tokens, self.seconds = state["tokens"], state["seconds"]
        self._window = Window(**state["window"])

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Count what the model costs, and measure what the machine can do."""
        mixed = str(trainer.precision)
        dtype = torch.bfloat16 if "bf16" in mixed else torch.float16 if "16" in mixed else torch.float32
        self._cost, self.peak = forward_cost(module.model), measured_peak(module.device, dtype)  # type: ignore[arg-type]

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
        """The step is done; on a GPU it is launched, and the one before is done."""
        self._log_reading(trainer)
        now, tokens = time.perf_counter(), trainer.world_size * sum(batch["lengths"])
        self.tokens += tokens
        self.seconds += now - self._ended
        assert self._cost is not None
        self._window.add(
            tokens=tokens,
            places=trainer.world_size * places(module.model, batch),  # type: ignore[arg-type]
            flops=module.passes * self._cost.of_step(batch["lengths"], module.positions(batch)),  # type: ignore[operator]
            seconds=now - self._ended,
            waiting=self._begun - self._ended,
        )
        if self._is_due(trainer):
            self._last_step = trainer.global_step
            self._reading = Reading(trainer.global_step, self._numbers(trainer, module, outputs))
            self._window = Window()
            if self._reading.is_here:
                self._log_reading(trainer)
        self._ended = time.perf_counter()

    def on_validation_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """What was launched before validation is training's time."""
        self._settle(trainer, module)

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Without validation, what was launched is waited for here."""
        self._settle(trainer, module)

    def on_exception(self, trainer: pl.Trainer, _module: pl.LightningModule, _error: BaseException) -> None:
        """The last point is not lost, unless the device is."""
        with contextlib.suppress(RuntimeError):
            self._log_reading(trainer)

    def on_validation_end(self, *_: Any) -> None:
        """Validation within an epoch is not waiting."""
        self._ended = time.perf_counter()

    def _is_due(self, trainer: pl.Trainer) -> bool:
        every: int = trainer.log_every_n_steps  # type: ignore[attr-defined]
        return trainer.global_step % every == 0 and trainer.global_step != self._last_step

    def _log_reading(self, trainer: pl.Trainer) -> None:
        if (reading := self._reading) is None:
            return
        self._reading, self.shown = None, reading.points()
        for logger in trainer.loggers:
            logger.log_metrics(self.shown, reading.step)

    def _settle(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        begun = time.perf_counter()
        self._log_reading(trainer)
        if module.device.type == "cuda":
            torch.cuda.synchronize(module.device)
        self.seconds += time.perf_counter() - begun

    def _numbers(self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any) -> dict[str, Any]:
        window, seconds = self._window, max(self._window.seconds, 1e-9)
        numbers = {
            "train/loss": outputs["loss"],
            "train/lr": max(group["lr"] for group in trainer.optimizers[0].param_groups),
            "train/tokens_per_second": window.tokens / seconds,
            "train/waiting_share": window.waiting / seconds,
            "train/packing_efficiency": window.tokens / window.places,
            "train/mfu": window.flops / seconds / self.peak,
        }
        norm = getattr(module, "grad_norm", None)
        return numbers if norm is None else numbers | {"train/grad_norm": norm}

    @property
    def tokens_per_second(self) -> float:
        """Over the whole phase."""
        return self.tokens / self.seconds if self.seconds else 0.0
