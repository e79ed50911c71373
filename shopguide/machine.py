"""What a process asks of its machine, and settles with it before torch is there."""

import os
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
BF16 = {"avx512_bf16", "amx_bf16", "bf16"}
"""Flags of processors that multiply bfloat16 matrices in hardware."""


def native_bf16() -> bool:
    """Whether the CPU multiplies bfloat16 matrices in hardware: without, it is slower than full precision."""
    if not CPUINFO.is_file():
        return False
    lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return bool(BF16 & set(flags.split()))


def prepare_process() -> None:
    """Have torch's large tensors on the CPU lie on huge pages, where Linux has any to give.

    The logits of a step are tens of megabytes, taken and given back each step: with pages of 4 kB, a tenth of a step
    goes into handing them out. What the user's environment says already is kept.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
