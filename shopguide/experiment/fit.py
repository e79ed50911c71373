"""One training loop: Lightning's, with bounded checkpoints, early stopping, and a line an epoch.

A phase's folder holds two checkpoints: `best.ckpt` by the monitored metric, and `last.ckpt`, from which it goes on, in
the precision of `precision.txt` where none was asked for.
"""

import contextlib
import gc
import logging
import math
import resource
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelCheckpoint
from pytorch_lightning.loggers.logger import Logger

from shopguide.errors import ConfigError, RunError
from shopguide.experiment.averaging import WeightAverage
from shopguide.experiment.progress import EpochLine, MinuteLine, StepBar
from shopguide.experiment.ranks import helped, is_rank, own_rank, processes, read_devices, tell_ready
from shopguide.experiment.stopping import LastCheckpoint, SeededSteps, Stop
from shopguide.machine import USUAL_COLLECTION
from shopguide.models.precision import good_at_bf16
from shopguide.models.unpadded import padded_because
from shopguide.objectives.objective import Objective
from shopguide.objectives.step_curves import StepCurves
from shopguide.text.batches import BatchLoader

AUTO = "auto"
LOWER_IS_BETTER = {"dev/loss", "dev/ece"}


@dataclass(frozen=True)
class Plan:
    """How long a phase trains, and which epoch it keeps."""

    name: str
    epochs: int
    monitor: str | None
    """The best epoch by it is kept; None: the last."""
    patience: int | None
    ema: float | None = None
    """Decay of the weights' moving average; None: no average."""


@dataclass(frozen=True)
class Place:
    """Where a phase trains, and how its trainer is set."""

    folder: str | Path
    """Of its checkpoints."""
    seed: int = 0
    log_every: int = 10
    """Optimizer steps between two points of a curve."""
    trainer: Mapping[str, Any] = field(default_factory=lambda: {"gradient_clip_val": 1.0})
    """Arguments of `pytorch_lightning.Trainer`."""
    logger: Logger | None = None
    """Receives the curves."""
    resume: bool = False
    """Go on from the folder's last checkpoint, if there is one."""
    callbacks: Sequence[Callback] = ()
    """Lightning callbacks beside those of the phase."""

    @property
    def last(self) -> Path:
        """The checkpoint from which training goes on."""
        return Path(self.folder) / "last.ckpt"

    @property
    def goes_on(self) -> bool:
        """Whether there is one to go on from."""
        return self.resume and self.last.exists()

    @property
    def device(self) -> str:
        """Of what is done beside training: the trainer's own GPU, where it may use one."""
        if not may_use_cuda(str(self.trainer.get("accelerator", AUTO))):
            return "cpu"
        rank, devices = own_rank(), read_devices(self.trainer.get("devices"))
        return f"cuda:{devices[rank] if isinstance(devices, list) else rank}"


@dataclass(frozen=True)
class Fitted:
    """What training cost, and what its kept epoch reached on the dev split."""

    dev: dict[str, float]
    """`dev/<metric>`; empty without a dev split."""
    tokens_per_second: float
    seconds: float
    peak_memory_gb: float
    """Highest resident memory of the process so far."""
    peak_gpu_memory_gb: float | None
    """Highest memory that tensors took on the GPU in training; None without one."""
    precision: str
    """Lightning's name of the one that was trained in, also where the setting is `auto`."""
    parameters: int
    """Weights of the model."""
    peak_tflops: float
    """What the machine's matrix products reach in that precision, against which `train/mfu` is measured."""


class Patience(EarlyStopping):
    """Early stopping that also holds where training was cut after it, before its phase was done."""

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """By the checkpoint, it may be over."""
        trainer.should_stop = self.wait_count >= self.patience


class DevHistory(Callback):
    """The dev metrics of each epoch, those before an interruption too."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, float]] = []

    def on_validation_end(self, trainer: pl.Trainer, _module: pl.LightningModule) -> None:
        """Note what the epoch reached."""
        self.epochs.append({k: float(v) for k, v in trainer.callback_metrics.items() if k.startswith("dev/")})

    def state_dict(self) -> dict[str, Any]:
        """For the checkpoint."""
        return {"epochs": self.epochs}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """From the checkpoint."""
        self.epochs = list(state["epochs"])

    def kept(self, monitor: str | None) -> dict[str, float]:
        """The metrics of the best epoch by `monitor`, the first of equals; of the last one where it is None."""
        if not self.epochs or monitor is None:
            return self.epochs[-1] if self.epochs else {}
        return self.epochs[self.best(monitor)]

    def best(self, monitor: str) -> int:
        """Number of the best epoch by `monitor`, from 0, the first of equals."""
        sign = -1 if monitor in LOWER_IS_BETTER else 1
        return max(range(len(self.epochs)), key=lambda epoch: sign * self.epochs[epoch][monitor])


def fit(objective: Objective, train: BatchLoader, dev: BatchLoader | None, plan: Plan, place: Place) -> Fitted:
    """Train, then leave the kept epoch's weights in the objective.

    Args:
        objective: the model and its loss.
        train: training batches.
        dev: held-out batches; None: nothing to validate on, the last epoch is kept.
        plan: length, and what is kept.
        place: where.

    Raises:
        ConfigError: the trainer refuses an argument.
        RunError: training diverged.
    """
    place = replace(place, trainer=_settled(place))
    count = processes(place.trainer)
    work = objective, train, dev, plan, replace(place, logger=None, callbacks=())
    alone = count == 1 or is_rank()
    with contextlib.nullcontext() if alone else helped(count, work, Path(place.folder)), _garbage_frozen():
        return _fit(objective, train, dev, plan, place)


def _fit(objective: Objective, train: BatchLoader, dev: BatchLoader | None, plan: Plan, place: Place) -> Fitted:
    _quieten()
    torch.manual_seed(place.seed + own_rank())
    objective.train()
    curves, stop = StepCurves(), Stop()
    place.last.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = place.last if place.goes_on else None
    history = DevHistory()
    told = plan.name, plan.epochs, curves
    callbacks: list[Callback] = [SeededSteps(place.seed), curves, history, EpochLine(*told), *place.callbacks]
    callbacks += [WeightAverage(plan.ema)] if plan.ema else []
    best = _best(plan, place) if dev is not None else None
    callbacks += [best] if best else []
    callbacks.append(LastCheckpoint(place.last, train, stop))
    if plan.patience and dev is not None:
        monitor = plan.monitor or "dev/loss"
        callbacks.append(Patience(monitor, patience=plan.patience, mode=_mode(monitor)))
    shows_bar = bool(place.trainer.get("enable_progress_bar", sys.stderr.isatty()))
    callbacks.append(StepBar(curves) if shows_bar else MinuteLine(*told))
    trainer = _trainer(plan, place, callbacks, shows_bar)
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    if reason := padded_because(objective.model):
        print(f"{plan.name}  batches are padded: {reason}", flush=True)
    tell_ready(Path(place.folder))
    with stop.by_signals():
        trainer.fit(objective, train, dev, ckpt_path=checkpoint, weights_only=True)
    if best is not None and best.best_model_path:
        state = torch.load(best.best_model_path, weights_only=True, map_location="cpu")
        objective.load_state_dict(state["state_dict"])
        assert plan.monitor is not None
        print(f"{plan.name}  kept: epoch {history.best(plan.monitor) + 1}, the best by {plan.monitor}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform != "darwin" else 1 << 30)
    objective.trainer = None  # with it go the optimizer's states
    kept = history.kept(plan.monitor)
    if math.isnan(kept.get("dev/loss", curves.shown.get("train/loss", 0.0))):
        raise RunError(
            f"{plan.name}: training diverged, its loss is not a number; a lower learning rate is the usual cure"
        )
    return Fitted(
        dev=kept,
        tokens_per_second=curves.tokens_per_second,
        seconds=curves.seconds,
        peak_memory_gb=peak,
        peak_gpu_memory_gb=_gpu_memory_gb(trainer),
        precision=str(trainer.precision),
        parameters=sum(weight.numel() for weight in objective.parameters()),
        peak_tflops=curves.peak / 1e12,
    )


def _gpu_memory_gb(trainer: pl.Trainer) -> float | None:
    device = trainer.strategy.root_device
    return torch.cuda.max_memory_allocated(device) / (1 << 30) if device.type == "cuda" else None


@contextlib.contextmanager
def _garbage_frozen() -> Iterator[None]:
    """The collector does not walk, again and again, what was there before training: a million objects of libraries.

    What training leaves is looked for as usual, and once more at the end: it holds tensors.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*USUAL_COLLECTION)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.collect()
        gc.unfreeze()


def _mode(monitor: str) -> str:
    return "min" if monitor in LOWER_IS_BETTER else "max"


def _best(plan: Plan, place: Place) -> ModelCheckpoint | None:
    if plan.monitor is None:
        return None
    return ModelCheckpoint(
        place.folder,
        filename="best",
        monitor=plan.monitor,
        mode=_mode(plan.monitor),
        save_weights_only=True,
        enable_version_counter=False,
    )


def _trainer(plan: Plan, place: Place, callbacks: list[Callback], shows_bar: bool) -> pl.Trainer:
    shown = {"enable_model_summary": False, "num_sanity_val_steps": 0, "log_every_n_steps": place.log_every}
    arguments = {**shown, **place.trainer, "enable_progress_bar": shows_bar}
    if is_rank():
        arguments["plugins"] = [*arguments.get("plugins", ()), LightningEnvironment()]
    try:
        return pl.Trainer(
            max_epochs=plan.epochs,
            logger=place.logger or False,
            callbacks=callbacks,
            default_root_dir=place.folder,
            use_distributed_sampler=False,
            **arguments,
        )
    except Exception as error:
        raise ConfigError(f"trainer: {dict(place.trainer)} was refused: {error}") from error


def _settled(place: Place) -> Mapping[str, Any]:
    """The trainer's arguments with a precision, where it is `auto`: chosen once, for all processes that train and for
    training that goes on.
    """
    if place.trainer.get("precision") != AUTO:
        return place.trainer
    note, chosen = Path(place.folder) / "precision.txt", chosen_precision(str(place.trainer.get("accelerator", AUTO)))
    if place.goes_on and note.is_file() and (begun := note.read_text(encoding="utf-8")) != chosen:
        print(f"goes on in {begun}, as it began (trainer.precision=auto would choose {chosen} here)", flush=True)
        chosen = begun
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(chosen, encoding="utf-8")
    return {**place.trainer, "precision": chosen}


def may_use_cuda(accelerator: str) -> bool:
    """Whether there is a GPU of that kind, and the accelerator's name does not rule it out."""
    return torch.cuda.is_available() and accelerator in (AUTO, "gpu", "cuda")


def chosen_precision(accelerator: str) -> str:
    """Mixed bfloat16 where the device multiplies it in hardware, else full precision."""
    on_gpu = may_use_cuda(accelerator)
    on_cpu = not on_gpu and accelerator in ("auto", "cpu") and not torch.backends.mps.is_available()
    device = "cuda" if on_gpu else "cpu" if on_cpu else accelerator
    return "bf16-mixed" if good_at_bf16(device) else "32-true"


def _quieten() -> None:
    """Lightning's advice on worker counts and its device table are no news to the user of a phase."""
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings(
        "ignore",
        module="pytorch_lightning",
        message=".*(num_workers|log_every_n_steps|is not empty|val_dataloader|sync_dist|not find the monitored key).*",
    )
    warnings.filterwarnings("ignore", message=".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*")
