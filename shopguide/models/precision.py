"""Which precision a device is good at."""

import time
from functools import lru_cache

import torch
from torch.nn.functional import linear

from shopguide.machine import native_bf16

ROWS, WIDTH, OUTPUTS = 2048, 384, 1536
"""Of the product that is timed: the wide layer of a small BERT."""
TURNS = 5
WORTH = 1.2
"""How many times as fast bfloat16 has to be."""


def good_at_bf16(device: str) -> bool:
    """Whether a kind of device (`cpu`, `cuda`, …) multiplies bfloat16 matrices in hardware, and a CPU faster so."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and native_bf16() and bf16_gain() > WORTH


@lru_cache
def bf16_gain() -> float:
    """How many times as fast as float32 this CPU multiplies bfloat16 matrices; timed once, in a sixth of a second
    on two cores. Not all that have instructions for it gain: some multiply at half the speed of float32.
    """
    pairs = [(torch.ones(ROWS, WIDTH, dtype=t), torch.ones(OUTPUTS, WIDTH, dtype=t)) for t in (None, torch.bfloat16)]
    took: list[list[float]] = [[], []]
    with torch.inference_mode():
        for _ in range(TURNS + 1):
            for times, (left, right) in zip(took, pairs, strict=True):
                start = time.perf_counter()
                linear(left, right)
                times.append(time.perf_counter() - start)
    whole, half = (min(times[1:]) for times in took)  # the first turn compiles the kernel
    return whole / half
