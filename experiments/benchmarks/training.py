"""What the arms of the training benchmarks share: how the peers are set, and what is clocked."""

import argparse
import resource
import time
from typing import Any


def add_peer(parser: argparse.ArgumentParser) -> None:
    """Let the peers' precision be chosen."""
    parser.add_argument("--peer", choices=("32", "bf16"), default=None, help="precision; default: 32, on a GPU bf16")


def peer_bf16(args: argparse.Namespace) -> bool:
    """Whether the peers train in bf16: the scripts do not unless they are told, but everyone tells them on a GPU."""
    import torch

    return bool(args.peer == "bf16" or (args.peer is None and torch.cuda.is_available()))


def precision(args: argparse.Namespace) -> str:
    """Ours, as shipped, and the peers'."""
    from shopguide.experiment.fit import chosen_precision

    return f"{chosen_precision('auto')} : {'bf16' if peer_bf16(args) else '32'}"


def arguments(cls: Any, folder: str, *, steps: int, rows: int, lr: float, seed: int, bf16: bool) -> Any:
    """The training arguments that all peers share, as a script would set them.

    Args:
        cls: `transformers.TrainingArguments`, or a subclass.
        folder: of its output.
        steps: optimizer steps.
        rows: of a batch.
        lr: learning rate.
        seed: of weights' head, order and dropout.
        bf16: mixed precision.
    """
    import torch

    return cls(
        folder,
        max_steps=steps,
        per_device_train_batch_size=rows,
        learning_rate=lr,
        weight_decay=0.01,
        warmup_steps=0.06,
        seed=seed,
        bf16=bf16,
        use_cpu=not torch.cuda.is_available(),
        tf32=torch.cuda.is_available() or None,
        dataloader_num_workers=4 if torch.cuda.is_available() else 0,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )


def peer_clock(ends: list[float]) -> Any:
    """A callback of `transformers.Trainer` that notes when each step ended."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            ends.append(time.perf_counter())

    return Clock()


def our_clock(ends: list[float], losses: list[float], lengths: list[Any]) -> Any:
    """A Lightning callback that notes when each step ended, its loss, and the real tokens of its texts."""
    import pytorch_lightning as pl

    class Clock(pl.Callback):
        def on_train_batch_end(self, _trainer: Any, _module: Any, outputs: Any, batch: Any, _index: int) -> None:
            ends.append(time.perf_counter())
            losses.append(float(outputs["loss"]))
            lengths.append(batch["lengths"])

    return Clock()


def losses_of(loop: Any) -> list[float]:
    """The loss of each step of a `transformers.Trainer` that has trained."""
    return [entry["loss"] for entry in loop.state.log_history if "loss" in entry]


def peak_memory_gb() -> float:
    """Highest memory of this process so far: on a GPU that of tensors, else the resident one."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / (1 << 30)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def result(ends: list[float], units: list[int], losses: list[float]) -> dict[str, Any]:
    """What an arm reports: units a second; the first step pays for warming up and is not counted."""
    return {
        "value": sum(units[1:]) / (ends[-1] - ends[0]),
        "loss": sum(losses[-3:]) / len(losses[-3:]),
        "losses": losses,
        "units": units,
        "peak_memory_gb": peak_memory_gb(),
    }
