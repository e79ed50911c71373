"""Jobs of a sweep side by side: each is a process of its own, with its share of the cores, or a GPU of its own."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from shopguide.machine import own_cores

GPUS = Path("/proc/driver/nvidia/gpus")
LOOK_EVERY = 0.2
"""Seconds."""
PR_SET_PDEATHSIG = 1
"""Linux, prctl(2): the signal that a process gets when the one that started it dies."""


@dataclass(frozen=True)
class Typed:
    """A job and the command that does it."""

    label: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Its own, beside that of all jobs."""
    ended: Callable[[], None] = lambda: None
    """Called when it has ended by itself."""


@dataclass(frozen=True)
class _Running:
    job: Typed
    slot: int
    log: Path
    output: IO[str]
    process: "subprocess.Popen[str]"
    begun: float


def run_in_slots(jobs: Iterable[Typed], slots: int, environment: Mapping[str, str], logs: Path) -> int:
    """Run the jobs, at most `slots` at a time, and tell of each that ends; stopped, the jobs are stopped too.

    Args:
        jobs: in the order in which they are begun; each is asked for when there is a slot for it.
        slots: processes at a time.
        environment: of the jobs, beside that of this process.
        logs: folder for what each job prints.

    Returns:
        How many failed.
    """
    logs.mkdir(parents=True, exist_ok=True)
    waiting, free = enumerate(jobs), list(range(slots))
    running: list[_Running] = []
    failed, is_over = 0, False
    try:
        while not is_over or running:
            while free and not is_over:
                number, job = next(waiting, (0, None))
                if is_over := job is None:
                    break
                slot = free.pop(0)
                own = {**environment, **_share(slot, slots), **job.environment}
                running.append(_begin(job, slot, logs / f"{number}.log", own))
            ended = [one for one in running if one.process.poll() is not None]
            for one in ended:
                running.remove(one)
                free.append(one.slot)
                failed += _tell(one)
                one.job.ended()
            if not ended:
                time.sleep(LOOK_EVERY)
    finally:
        _stop(running)
    return failed


def _begin(job: Typed, slot: int, log: Path, environment: Mapping[str, str]) -> _Running:
    print(f"job {job.label}: begun, {log}", flush=True)
    output = log.open("w", encoding="utf-8")
    process = subprocess.Popen(
        list(job.command),
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=end_with_parent if sys.platform == "linux" else None,
    )
    return _Running(job, slot, log, output, process, time.monotonic())


def end_with_parent(number: int = signal.SIGTERM) -> None:
    """In a new process, on Linux: it gets this signal when the one that started it dies."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def _tell(one: _Running) -> bool:
    one.output.close()
    seconds = time.monotonic() - one.begun
    if one.process.returncode == 0:
        print(f"job {one.job.label}: done in {seconds:,.0f} s", flush=True)
        return False
    said = [line for line in one.log.read_text(encoding="utf-8").splitlines() if line.strip()]
    print(f"job {one.job.label}: failed, {one.log}: {said[-1] if said else 'no word'}", file=sys.stderr, flush=True)
    return True


def _stop(running: Sequence[_Running]) -> None:
    """As Ctrl-C does: what is learnt is kept."""
    for one in running:
        one.process.send_signal(signal.SIGINT)
    for one in running:
        one.process.wait()
        one.output.close()


def _share(slot: int, slots: int) -> dict[str, str]:
    """The cores of a slot, by number of threads, and its GPU where there are any."""
    found = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(max(1, own_cores() // slots)))}
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    gpus = visible.split(",") if visible else [str(number) for number, _ in enumerate(_gpus())]
    if gpus and visible != "":
        found["CUDA_VISIBLE_DEVICES"] = gpus[slot % len(gpus)]
    return found


def _gpus() -> list[Path]:
    return sorted(GPUS.iterdir()) if GPUS.is_dir() else []
