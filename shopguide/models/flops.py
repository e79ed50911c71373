"""Model-FLOPs utilisation: the share of the machine's matrix-product speed that training's own mathematics uses.

MFU = FLOPs of the model on the real tokens / (seconds · peak) (Chowdhery et al. 2022, App. B). A step is three forward
passes' worth: one forward, two backward. A multiplication and an addition are two operations. Forward, a model costs
a·T + b·Σ Lᵢ² + c·B for B documents of Lᵢ tokens, T in all, and its head so much a position with loss: counted on three
made-up documents, and as though a classifier's last layer worked on all tokens, not on first ones only, attention
reached all of a document, and all weights were trained. The peak is measured: the best of several matrix products in
training's precision (the tag `peak_tflops` of a phase's run).
"""

import time
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

STEP = 2
"""Costs are counted on documents of one, two and three times as many tokens."""


@dataclass(frozen=True)
class Cost:
    """Floating-point operations of a forward pass."""

    per_token: float
    per_pair: float
    """Of two tokens of a document, in either order."""
    per_document: float
    per_position: float
    """Of an LM head."""

    def of_step(self, lengths: list[int], positions: int | torch.Tensor) -> float | torch.Tensor:
        """Of a training step on documents of these lengths, with loss at so many positions."""
        squares = sum(length * length for length in lengths)
        forward = self.per_token * sum(lengths) + self.per_pair * squares + self.per_document * len(lengths)
        return 3 * (forward + self.per_position * positions)


def forward_cost(model: nn.Module) -> Cost:
    """Count a transformers model's matrix products; by one thread, as several have more trouble than work with a few
    tokens: a tenth of the time.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        token, pair, _ = _fitted(model.base_model)  # type: ignore[arg-type]
        whole, _, document = _fitted(model)
    finally:
        torch.set_num_threads(threads)
    return Cost(token, pair, document, whole - token)


def _fitted(module: nn.Module) -> tuple[float, float, float]:
    """a, b, c of a·L + b·L² + c, the cost of a document of L tokens."""
    one, two, three = (_counted(module, STEP * times) for times in (1, 2, 3))
    pair = (three - 2 * two + one) / (2 * STEP**2)
    token = (two - one) / STEP - 3 * STEP * pair
    return token, pair, one - token * STEP - pair * STEP**2


@torch.no_grad()
def _counted(module: nn.Module, length: int) -> float:
    device = next(module.parameters()).device
    ids = 3 + torch.arange(length, device=device)[None]
    training = module.training
    module.eval()
    try:
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            module(input_ids=ids, attention_mask=torch.ones_like(ids))
    finally:
        module.train(training)
    return float(counter.get_total_flops())


def measured_peak(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of the best of five products of square matrices."""
    side = 8192 if device.type == "cuda" else 1024
    matrix = torch.randn(side, side, device=device, dtype=dtype)  # ones take less power, and so less time
    best = float("inf")
    for _ in range(5):
        begun = time.perf_counter()
        float((matrix @ matrix)[0, 0])
        best = min(best, time.perf_counter() - begun)
    return 2 * side**3 / best
