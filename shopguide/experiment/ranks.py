"""Training in several processes (DDP): the experiment's own is rank 0, and starts a helper for each other rank.

A helper gets the model, the batches and the plan as they stand when training begins, trains along, and ends with it. It
knows of no runs and prints into a log: whatever is done beside training is done once. So a job of a sweep, each of its
phases, may train so, and the next one starts helpers of its own.
"""

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from shopguide.errors import ConfigError, RunError
from shopguide.experiment.slots import end_with_parent

RANK = "LOCAL_RANK"
"""Lightning reads it, and the others below; where it is set, Lightning starts no processes itself."""
HELPER = "shopguide.experiment.helper"
"""The program of the others."""
READY = "rank{}.ready"
LOOK_EVERY = 0.5
PATIENCE = 30.0
"""Seconds."""


def is_rank() -> bool:
    """Whether this process is one of several that train together."""
    return RANK in os.environ


def own_rank() -> int:
    """Number of this process among them; 0 alone."""
    return int(os.environ.get(RANK, 0))


def processes(trainer: Mapping[str, Any]) -> int:
    """How many processes a trainer's settings ask for.

    Args:
        trainer: arguments of `pytorch_lightning.Trainer`.

    Raises:
        ConfigError: no number; several, by a strategy other than DDP, or on several machines.
    """
    strategy, nodes = trainer.get("strategy", "auto"), trainer.get("num_nodes")
    devices = read_devices(trainer.get("devices", 1))
    if devices in (None, -1):
        devices = (
            max(1, torch.cuda.device_count()) if trainer.get("accelerator") in (None, "auto", "gpu", "cuda") else 1
        )
    count = len(devices) if isinstance(devices, list) else int(devices or 1)
    if count > 1 and not (isinstance(strategy, str) and (strategy == "auto" or strategy.startswith("ddp"))):
        raise ConfigError(f"trainer.strategy={strategy}: several processes train by ddp (or auto)")
    if nodes not in (None, 1, "1"):
        raise ConfigError("trainer.num_nodes: training goes over the devices of one machine")
    return count


def read_devices(setting: Any) -> int | list[int] | None:
    """`trainer.devices` in any form that Lightning takes: a number, numbers, `"0,1"`; None: `auto`.

    Raises:
        ConfigError: it is none.
    """
    if setting is None or setting == "auto":
        return None
    try:
        if isinstance(setting, str) and "," in setting:
            return [int(part) for part in setting.split(",") if part.strip()]
        return [int(part) for part in setting] if isinstance(setting, list) else int(setting)
    except (TypeError, ValueError):
        raise ConfigError(
            f"trainer.devices={setting}: expected a number of processes, or GPUs' numbers as in [0,1]"
        ) from None


@contextlib.contextmanager
def helped(count: int, work: Sequence[Any], folder: Path) -> Iterator[None]:
    """For as long as the block lasts, this process is rank 0 of `count`, and the others do the same work.

    Args:
        count: of processes.
        work: arguments of `fit`, for the helpers.
        folder: for their logs.

    Raises:
        RunError: a helper failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(READY.format("*")):
        old.unlink()
    draft = folder / "work.pickle"
    with draft.open("wb") as file:
        pickle.dump(work, file, protocol=pickle.HIGHEST_PROTOCOL)
    threads = torch.get_num_threads()
    own = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "NODE_RANK": "0", "WORLD_SIZE": str(count)}
    own["OMP_NUM_THREADS"] = str(max(1, threads // count))
    logs = {rank: folder / f"rank{rank}.log" for rank in range(1, count)}
    running = {rank: _start(draft, log, {**own, RANK: str(rank)}) for rank, log in logs.items()}
    before = dict(os.environ)
    os.environ.update({**own, RANK: "0"})
    torch.set_num_threads(max(1, threads // count))
    watch = _Watch(running)
    try:
        _await_all(running, folder, watch)
        watch.start()
        yield
        for helper in running.values():
            helper.wait(PATIENCE)
    except (Exception, KeyboardInterrupt) as error:
        watch.stop()
        if (rank := watch.failed) is None:
            raise
        said = [line for line in logs[rank].read_text(encoding="utf-8").splitlines() if line.strip()]
        raise RunError(f"rank {rank}: failed, {logs[rank]}: {said[-1] if said else 'no word'}") from error
    finally:
        watch.stop()
        for helper in running.values():
            helper.kill()
            helper.wait()
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        os.environ.clear()
        os.environ.update(before)
        torch.set_num_threads(threads)
        draft.unlink()


def tell_ready(folder: Path) -> None:
    """Of a helper: what can be wrong with it alone is behind it, and it goes to meet the others."""
    if own_rank():
        (folder / READY.format(own_rank())).touch()


def _await_all(running: Mapping[int, "subprocess.Popen[bytes]"], folder: Path, watch: "_Watch") -> None:
    """Rank 0 waits here, where it hears of one that failed: while processes meet, it would not for half an hour."""
    for rank in running:
        while not (folder / READY.format(rank)).exists():
            if watch.failed is not None:
                raise RunError(f"rank {watch.failed}: failed")
            time.sleep(LOOK_EVERY / 10)


class _Watch:
    """Interrupts this process when a helper fails: it would wait for the helper forever.

    It asks twice: at the first, training would end the step.
    """

    def __init__(self, running: Mapping[int, "subprocess.Popen[bytes]"]) -> None:
        self._running, self._over = running, threading.Event()
        self._interrupts = threading.Thread(target=self._look, name="helpers", daemon=True)

    def start(self) -> None:
        """Look from now on."""
        self._interrupts.start()

    @property
    def failed(self) -> int | None:
        """Rank of a helper that failed."""
        return next((rank for rank, helper in self._running.items() if helper.poll()), None)

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        if self._interrupts.is_alive():
            self._interrupts.join()

    def _look(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            if self.failed is not None:
                os.kill(os.getpid(), signal.SIGINT)
                if not self._over.wait(LOOK_EVERY):
                    os.kill(os.getpid(), signal.SIGINT)
                return


def _start(work: Path, log: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", HELPER, str(work)],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=partial(end_with_parent, signal.SIGKILL) if sys.platform == "linux" else None,
        )


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
