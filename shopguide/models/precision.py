"""Which precision a device is good at."""

import torch

from shopguide.machine import native_bf16


def good_at_bf16(device: str) -> bool:
    """Whether a kind of device (`cpu`, `cuda`, …) multiplies bfloat16 matrices in hardware."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and native_bf16()
