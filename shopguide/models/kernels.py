"""GPU kernels of what stands between the matrix products of a transformer's layer, in Triton.

Written out in torch each of these is three to ten kernels, and all that they do is move memory: sums, normalisation and
casts of the states. Here a state is read and written once, in half precision, and computed with in full. The gradient
of a bias falls out of the same pass. Dropout is drawn anew in the backward pass, from the same seed, not remembered.

Sources: Tillet et al. 2019 (Triton); the gradient of layer normalisation as in Ba et al. 2016, §5 of the appendix.
Shapes: T rows, C width.
"""

from typing import Any

import torch
import triton
import triton.language as tl

FORWARD_ROWS, FORWARD_WARPS = 4, 8
BACKWARD_ROWS, BACKWARD_WARPS = 2, 4
"""Rows that a program works on at a time, and its warps."""
PROGRAMS = 528
"""Programs of a backward pass, each of which sums the gradients of the weights over its rows: four for each
multiprocessor of the largest GPUs."""
TILE_ROWS, TILE_COLUMNS, TILE_WARPS = 2, 1024, 4
"""Of a program of the activation."""
_kernel = triton.jit(do_not_specialize=["count", "seed", "turns"])
"""What differs from batch to batch is no reason to compile anew."""


@triton.jit
def _kept(seed, rows, columns, width, share, height: tl.constexpr, block: tl.constexpr):
    """(height, block) bool: who survives dropout; one draw of the generator serves four columns."""
    quarter = tl.arange(0, block // 4)
    offsets = rows[:, None] * (block // 4) + quarter[None, :]
    first, second, third, fourth = tl.rand4x(seed, offsets)
    joined = tl.join(tl.join(first, second), tl.join(third, fourth))
    return tl.reshape(joined, (height, block)) >= share


@_kernel
def _add_norm_forward(
    x,
    bias,
    residual,
    weight,
    shift,
    out,
    total,
    means,
    deviations,
    count,
    width,
    share,
    seed,
    epsilon,
    drops: tl.constexpr,
    block: tl.constexpr,
    height: tl.constexpr,
):
    rows = tl.program_id(0) * height + tl.arange(0, height)
    columns = tl.arange(0, block)
    there = columns < width
    inside = (rows < count)[:, None] & there[None, :]
    places = rows.to(tl.int64)[:, None] * width + columns[None, :]
    state = tl.load(x + places, mask=inside, other=0.0).to(tl.float32)
    state += tl.load(bias + columns, mask=there, other=0.0).to(tl.float32)[None, :]
    if drops:
        kept = _kept(seed, rows, columns, width, share, height, block)
        state = tl.where(kept, state / (1 - share), 0.0)
    state += tl.load(residual + places, mask=inside, other=0.0).to(tl.float32)
    stored = state.to(total.dtype.element_ty)
    tl.store(total + places, stored, mask=inside)
    state = tl.where(inside, stored.to(tl.float32), 0.0)
    mean = tl.sum(state, axis=1) / width
    centred = tl.where(inside, state - mean[:, None], 0.0)
    deviation = tl.rsqrt(tl.sum(centred * centred, axis=1) / width + epsilon)
    tl.store(means + rows, mean, mask=rows < count)
    tl.store(deviations + rows, deviation, mask=rows < count)
    scale = tl.load(weight + columns, mask=there, other=0.0).to(tl.float32)
    offset = tl.load(shift + columns, mask=there, other=0.0).to(tl.float32)
    normal = centred * deviation[:, None] * scale[None, :] + offset[None, :]
    tl.store(out + places, normal.to(out.dtype.element_ty), mask=inside)


@_kernel
def _add_norm_backward(
    gradient,
    total,
    weight,
    means,
    deviations,
    to_x,
    to_residual,
    to_weight,
    to_shift,
    to_bias,
    count,
    width,
    share,
    seed,
    turns,
    drops: tl.constexpr,
    block: tl.constexpr,
    height: tl.constexpr,
):
    program = tl.program_id(0)
    columns = tl.arange(0, block)
    there = columns < width
    scale = tl.load(weight + columns, mask=there, other=0.0).to(tl.float32)
    of_weight = tl.zeros((block,), tl.float32)
    of_shift = tl.zeros((block,), tl.float32)
    of_bias = tl.zeros((block,), tl.float32)
    for turn in range(turns):
        rows = (turn * tl.num_programs(0) + program) * height + tl.arange(0, height)
        inside = (rows < count)[:, None] & there[None, :]
        places = rows.to(tl.int64)[:, None] * width + columns[None, :]
        above = tl.load(gradient + places, mask=inside, other=0.0).to(tl.float32)
        state = tl.load(total + places, mask=inside, other=0.0).to(tl.float32)
        mean = tl.load(means + rows, mask=rows < count, other=0.0)
        deviation = tl.load(deviations + rows, mask=rows < count, other=0.0)
        normal = tl.where(inside, (state - mean[:, None]) * deviation[:, None], 0.0)
        scaled = above * scale[None, :]
        along = tl.sum(scaled * normal, axis=1) / width
        average = tl.sum(scaled, axis=1) / width
        below = (scaled - normal * along[:, None] - average[:, None]) * deviation[:, None]
        below = tl.where(inside, below, 0.0)
        tl.store(to_residual + places, below.to(to_residual.dtype.element_ty), mask=inside)
        if drops:
            kept = _kept(seed, rows, columns, width, share, height, block)
            below = tl.where(kept, below / (1 - share), 0.0)
        tl.store(to_x + places, below.to(to_x.dtype.element_ty), mask=inside)
        of_weight += tl.sum(above * normal, axis=0)
        of_shift += tl.sum(above, axis=0)
        of_bias += tl.sum(below, axis=0)
    tl.store(to_weight + program * width + columns, of_weight, mask=there)
    tl.store(to_shift + program * width + columns, of_shift, mask=there)
    tl.store(to_bias + program * width + columns, of_bias, mask=there)


class _AddNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        bias: torch.Tensor,
        residual: torch.Tensor,
        weight: torch.Tensor,
        shift: torch.Tensor,
        epsilon: float,
        share: float,
        seed: int,
    ) -> torch.Tensor:
        count, width = x.shape
        out, total = torch.empty_like(x), torch.empty_like(x)
        means, deviations = x.new_empty((2, count), dtype=torch.float32)
        block = triton.next_power_of_2(width)
        _add_norm_forward[(triton.cdiv(count, FORWARD_ROWS),)](
            *(x, bias, residual, weight, shift, out, total, means, deviations, count, width, share, seed, epsilon),
            drops=share > 0,
            block=block,
            height=FORWARD_ROWS,
            num_warps=FORWARD_WARPS,
        )
        ctx.save_for_backward(total, weight, means, deviations)
        ctx.options = block, share, seed, residual.dtype
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        total, weight, means, deviations = ctx.saved_tensors
        block, share, seed, kind = ctx.options
        gradient = gradients[0].contiguous()
        count, width = gradient.shape
        to_x, to_residual = torch.empty_like(total), torch.empty_like(total, dtype=kind)
        programs = min(PROGRAMS, triton.cdiv(count, BACKWARD_ROWS))
        sums = gradient.new_empty((3, programs, width), dtype=torch.float32)
        _add_norm_backward[(programs,)](
            *(gradient, total, weight, means, deviations, to_x, to_residual, *sums, count, width, share, seed),
            triton.cdiv(count, BACKWARD_ROWS * programs),
            drops=share > 0,
            block=block,
            height=BACKWARD_ROWS,
            num_warps=BACKWARD_WARPS,
        )
        to_weight, to_shift, to_bias = sums.sum(1)
        return to_x, to_bias, to_residual, to_weight, to_shift, None, None, None


def add_norm(
    x: torch.Tensor,
    bias: torch.Tensor,
    residual: torch.Tensor,
    weight: torch.Tensor,
    shift: torch.Tensor,
    epsilon: float,
    share: float = 0.0,
    seed: int = 0,
) -> torch.Tensor:
    """LayerNorm(dropout(x + bias) + residual), (T, C) in the precision of `x`.

    Args:
        x: (T, C), its rows one after the other in memory, as those of `residual`.
        bias: (C,).
        residual: (T, C).
        weight: (C,), by which what is normalised is multiplied.
        shift: (C,), which is added to it.
        epsilon: added to the variance.
        share: of values dropped, below 1.
        seed: of dropout, below 2³¹.
    """
    out: torch.Tensor = _AddNorm.apply(x, bias, residual, weight, shift, epsilon, share, seed)  # type: ignore[no-untyped-call]
    return out


def bias_gelu(x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """GELU(x + bias) by the error function (Hendrycks & Gimpel 2016), (T, C) in the precision of `x`.

    Args:
        x: (T, C), its rows one after the other in memory.
        bias: (C,).
    """
    out: torch.Tensor = _BiasGelu.apply(x, bias)  # type: ignore[no-untyped-call]
    return out


@_kernel
def _bias_gelu_forward(x, bias, out, count, width, height: tl.constexpr, block: tl.constexpr):
    rows = tl.program_id(0) * height + tl.arange(0, height)
    columns = tl.program_id(1) * block + tl.arange(0, block)
    there = columns < width
    inside = (rows < count)[:, None] & there[None, :]
    places = rows.to(tl.int64)[:, None] * width + columns[None, :]
    value = tl.load(x + places, mask=inside, other=0.0).to(tl.float32)
    value += tl.load(bias + columns, mask=there, other=0.0).to(tl.float32)[None, :]
    active = 0.5 * value * (1 + tl.erf(value * 0.7071067811865476))
    tl.store(out + places, active.to(out.dtype.element_ty), mask=inside)


@_kernel
def _bias_gelu_backward(
    gradient, x, bias, to_x, to_bias, count, width, turns, height: tl.constexpr, block: tl.constexpr
):
    columns = tl.program_id(1) * block + tl.arange(0, block)
    there = columns < width
    added = tl.load(bias + columns, mask=there, other=0.0).to(tl.float32)
    of_bias = tl.zeros((block,), tl.float32)
    for turn in range(turns):
        rows = (turn * tl.num_programs(0) + tl.program_id(0)) * height + tl.arange(0, height)
        inside = (rows < count)[:, None] & there[None, :]
        places = rows.to(tl.int64)[:, None] * width + columns[None, :]
        value = tl.load(x + places, mask=inside, other=0.0).to(tl.float32) + added[None, :]
        above = tl.load(gradient + places, mask=inside, other=0.0).to(tl.float32)
        below = 0.5 * (1 + tl.erf(value * 0.7071067811865476))
        below += value * tl.exp(-0.5 * value * value) * 0.3989422804014327
        below = above * below
        tl.store(to_x + places, below.to(to_x.dtype.element_ty), mask=inside)
        of_bias += tl.sum(below, axis=0)
    tl.store(to_bias + tl.program_id(0) * width + columns, of_bias, mask=there)


class _BiasGelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        count, width = x.shape
        out = torch.empty_like(x)
        grid = triton.cdiv(count, TILE_ROWS), triton.cdiv(width, TILE_COLUMNS)
        _bias_gelu_forward[grid](x, bias, out, count, width, height=TILE_ROWS, block=TILE_COLUMNS, num_warps=TILE_WARPS)
        ctx.save_for_backward(x, bias)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x, bias = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        count, width = x.shape
        to_x = torch.empty_like(x)
        blocks = triton.cdiv(width, TILE_COLUMNS)
        programs = min(triton.cdiv(2 * PROGRAMS, blocks), triton.cdiv(count, TILE_ROWS))
        sums = x.new_empty((programs, width), dtype=torch.float32)
        turns = triton.cdiv(count, TILE_ROWS * programs)
        _bias_gelu_backward[programs, blocks](
            gradient,
            x,
            bias,
            to_x,
            sums,
            count,
            width,
            turns,
            height=TILE_ROWS,
            block=TILE_COLUMNS,
            num_warps=TILE_WARPS,
        )
        return to_x, sums.sum(0)
