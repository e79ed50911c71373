"""What a process asks of its machine, and settles with it before torch is there."""

import atexit
import ctypes
import gc
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shopguide.deferred import defer_imports

USUAL_COLLECTION = gc.get_threshold()
RARE_COLLECTION = 50_000, 10, 10
"""Objects made between two looks for garbage, and looks between two longer ones."""
CPUINFO = Path("/proc/cpuinfo")
BF16 = {"avx512_bf16", "amx_bf16", "bf16"}
"""Flags of processors that multiply bfloat16 matrices in hardware."""
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Numbers of glibc's malloc.h: memory free at the top that goes back to the system, and how many blocks are mapped."""
SPINS = 10_000
"""Times that a thread looks for its next work before it sleeps: part of a millisecond. As it comes, OpenMP looks thirty
times as long, on cores that another process may need: each of two trainings on two cores ran at a thirteenth of its
speed, and does at more than a third. Alone none is slower (with 1,000 a small model was, by a fifth).
"""
WAITING = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}
"""Variables of the environment by which a user has chosen already."""
MALLOC_SETTINGS = {"MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"}


def own_cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def native_bf16() -> bool:
    """Whether the CPU multiplies bfloat16 matrices in hardware: without, it is slower than full precision."""
    return bool(BF16 & cpu_flags())


def bf16_in_vectors_only() -> bool:
    """Whether the CPU has instructions for vectors of bfloat16, and none for matrices."""
    return "avx512_bf16" in cpu_flags() and "amx_bf16" not in cpu_flags()


def cpu_flags() -> set[str]:
    """What the CPU can, in Linux' words; nothing where the system does not tell."""
    if not CPUINFO.is_file():
        return set()
    lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    return set(next((line for line in lines if line.startswith(("flags", "Features"))), "").split())


@contextmanager
def imported_at_once() -> Iterator[None]:
    """For the imports of torch or MLflow: the million objects that they make are not looked at for garbage meanwhile,
    and what they import without need waits until it is used.
    """
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    defer_imports()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def prepare_process() -> None:
    """Look for garbage rarely, and not when the process ends: a command makes a million objects by its imports and
    queries, few of them are garbage, and a last look at them all takes most of a second.

    And have memory that a step frees serve the next step, instead of going back to the system (glibc only).
    The logits of a step are tens of megabytes, taken and given back each step. glibc maps such blocks anew each time,
    and a tenth of a step goes into the system's clearing of their pages. What the user's environment says stays.
    (One heap for all threads takes a twentieth less memory, and halved the speed of the default's small ModernBERT.)

    And have threads that wait leave their cores to others soon.
    """
    if not WAITING & set(os.environ):
        os.environ["GOMP_SPINCOUNT"] = str(SPINS)
    gc.set_threshold(*RARE_COLLECTION)
    atexit.register(gc.freeze)
    if platform.libc_ver()[0] != "glibc" or MALLOC_SETTINGS & set(os.environ):
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_MAX, 0)
    libc.mallopt(M_TRIM_THRESHOLD, -1)
