"""Attention inside each document of a row in which documents lie end to end.

Attention is the only part of a transformer in which tokens meet. transformers' attention interface is given a function
that keeps documents apart: those of about equal length are attended to together, short ones several to a window, in
which only what is no number (NaN) reaches another.

Shapes: B documents, L longest of them, T tokens in all, H heads, D width of a head.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from shopguide.models.dropout import draw_signs
from shopguide.models.dropped_attention import dropped_attention
from shopguide.models.layout import Group, Layout, Spread
from shopguide.models.varlen import serves, varlen_attention
from shopguide.models.written_out import bidirectional_attention

NAME = "shopguide_unpadded"

_layout: ContextVar[Layout | None] = ContextVar("layout of the batch that runs now", default=None)
_asked: ContextVar[nn.Module | None] = ContextVar("attention layer of which only first tokens are asked", default=None)


def attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    is_causal: bool | None = None,
    sliding_window: int | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """softmax(QKᵀ · scaling) V inside each document (Vaswani et al. 2017, §3.2.1), as transformers calls it.

    Outside `attending_within`, and where one document is the whole row with neither dropout nor window, it is
    transformers' own attention for padded batches.

    Args:
        module: the attention layer.
        query: (1, H, T, D).
        key: (1, H', T, D), where H' divides H.
        value: as `key`.
        mask: of a padded batch; none where documents lie end to end.
        scaling: 1 / √D where none is given.
        dropout: share of the weights dropped.
        is_causal: tokens see only those before them; None: as the module says.
        sliding_window: tokens see those less than this far away.

    Returns:
        (1, T, H, D), and no weights.
    """
    layout = _layout.get()
    if layout is None or (layout.is_whole and not dropout and sliding_window is None):
        padded: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, mask, dropout, scaling, is_causal, sliding_window=sliding_window, **others
        )
        return padded
    causal = bool(getattr(module, "is_causal", False) if is_causal is None else is_causal)
    repeats = query.shape[1] // key.shape[1]
    if repeats > 1:
        key, value = (tensor.repeat_interleave(repeats, dim=1) for tensor in (key, value))
    # Squeezed, not indexed: the gradient of an index is a row of zeros, written to.
    rows = [tensor.squeeze(0).transpose(0, 1) for tensor in (query, key, value)]
    if serves(query):
        query, key, value = rows
        return varlen_attention(query, key, value, layout, scaling, dropout, causal, sliding_window)[None], None
    if _asked.get() is module and not dropout and not causal:
        return _of_first_tokens(rows, layout, scaling, sliding_window)[None], None
    return _in_groups(rows, layout, scaling, dropout, causal, sliding_window)[None], None


def _in_groups(
    rows: list[torch.Tensor],
    layout: Layout,
    scaling: float | None,
    dropout: float,
    causal: bool,
    sliding_window: int | None,
) -> torch.Tensor:
    """(T, H, D) of (T, H, D) queries, keys and values: documents of about equal length together."""
    _, heads, width = rows[0].shape
    device, shared = rows[0].device, not dropout
    spread = layout.spread(heads, device, shared)
    spread_out = [_Spread.apply(row.reshape(-1, width), spread) for row in rows]  # type: ignore[no-untyped-call]
    pieces = zip(*(torch.split(tensor, spread.sizes) for tensor in spread_out), strict=True)
    own = bool(dropout) and device.type != "cuda"
    signs = _draws(layout, heads, dropout if own else 0.0)
    parts: list[torch.Tensor] = []
    for number, (group, piece) in enumerate(zip(layout.groups, pieces, strict=True)):
        query, key, value = (tensor.view(_windows(group, shared, heads, width)) for tensor in piece)
        bias = _kept_bias(layout, number, sliding_window, causal, own, shared, query)
        if own:
            out = dropped_attention(query, key, value, scaling, dropout, bias, next(signs))
        elif dropout or causal:
            out = scaled_dot_product_attention(
                query, key, value, bias, dropout_p=dropout, is_causal=causal and bias is None, scale=scaling
            )
        else:
            out = bidirectional_attention(query, key, value, bias, scaling)
        parts.append(out.reshape(-1, width))
    collected: torch.Tensor = _Collect.apply(torch.cat(parts), spread)  # type: ignore[no-untyped-call]
    return collected.view(-1, heads, width)


def _of_first_tokens(
    rows: list[torch.Tensor], layout: Layout, scaling: float | None, sliding_window: int | None
) -> torch.Tensor:
    """(T, H, D) what the first token of each document gets of (T, H, D) queries, keys and values; 0 for the others."""
    query, _, _ = rows
    _, heads, width = query.shape
    spread = layout.spread(heads, query.device, True)
    keys, values = (
        torch.split(_Spread.apply(row.reshape(-1, width), spread), spread.sizes)  # type: ignore[no-untyped-call]
        for row in rows[1:]
    )
    counts = [len(group.lengths) for group in layout.groups]
    first = layout.on(query.device).bounds[: sum(counts)].long()  # where documents start, in the order of the groups
    asking = torch.split(query.index_select(0, first), counts)
    parts = []
    for number, (group, asked, key, value) in enumerate(zip(layout.groups, asking, keys, values, strict=True)):
        windows = _windows(group, True, heads, width)
        bias = _kept_bias(layout, number, sliding_window, False, False, True, query)
        out = scaled_dot_product_attention(
            asked.view(windows[0], -1, heads, width).transpose(1, 2),
            key.view(windows),
            value.view(windows),
            None if bias is None else bias[:, :, :: group.places],
            scale=scaling,
        )
        parts.append(out.transpose(1, 2).reshape(-1, heads, width))
    return torch.zeros_like(query).index_copy(0, first, torch.cat(parts))


def _windows(group: Group, shared: bool, heads: int, width: int) -> tuple[int, int, int, int]:
    """(N/W, H, W·L, D): W documents share a window."""
    together = group.together if shared else 1
    return len(group.lengths) // together, heads, together * group.places, width


def _kept_bias(
    layout: Layout, number: int, window: int | None, causal: bool, own: bool, shared: bool, like: torch.Tensor
) -> torch.Tensor | None:
    """That of a group, for all layers of a kind; `own`: the kernel is ours, which knows of no order."""
    group = layout.groups[number]
    together = group.together if shared else 1
    kind = (number, window, causal, own, together, like.dtype)
    if kind not in layout.masks:
        layout.masks[kind] = _bias(group, window, causal, own, together, like)
    return layout.masks[kind]


class _Spread(torch.autograd.Function):
    """From the row to the groups' padded documents. Padding takes part in nothing, and so brings no gradient back."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, spread: Spread) -> torch.Tensor:
        ctx.spread = spread
        return rows.index_select(0, spread.into)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return _collected(gradients[0], ctx.spread), None


class _Collect(torch.autograd.Function):
    """From the groups' padded documents back to the row; filler is zero."""

    @staticmethod
    def forward(ctx: Any, padded: torch.Tensor, spread: Spread) -> torch.Tensor:
        ctx.spread = spread
        return _collected(padded, spread)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        spread = ctx.spread
        return gradients[0].index_select(0, spread.into).index_fill_(0, spread.padding, 0.0), None


def _collected(padded: torch.Tensor, spread: Spread) -> torch.Tensor:
    row = padded.index_select(0, spread.back)
    row[spread.real :] = 0
    return row


def _draws(layout: Layout, heads: int, dropout: float) -> Iterator[torch.Tensor]:
    """For each group, which of its (N, H, L, L) weights are dropped; nothing where none is."""
    if not dropout:
        return iter(())
    sizes = [len(group.lengths) * heads * group.places**2 for group in layout.groups]
    return iter(torch.split(draw_signs(sum(sizes), dropout), sizes))


@torch.inference_mode(False)  # kept for all layers, in training perhaps for their gradients
def _bias(
    group: Group, window: int | None, causal: bool, explicit: bool, together: int, like: torch.Tensor
) -> torch.Tensor | None:
    """(N or 1, 1, L or 1, L): 0 for who is seen, −∞ for who is not; None where all are or the kernel knows.

    Where W documents share a window: (N/W or 1, 1, W·L, W·L).
    """
    real = group.real_keys()
    narrow = window is not None and group.places > window
    if real is None and not narrow and not (causal and explicit) and together == 1:
        return None
    place = torch.arange(group.places)
    ahead = place[None] - place[:, None]
    seen = torch.ones_like(ahead, dtype=torch.bool) if window is None else ahead.abs() < window
    seen = seen & (ahead <= 0) if causal else seen
    if real is not None:  # padding sees itself: a row that saw nothing would be NaN, and reach the others' gradients
        seen = real if not causal and not narrow else (seen & real) | (ahead == 0)
    if together > 1:
        seen = _each_its_own(seen.expand(-1 if real is not None else together, 1, *ahead.shape), together)
    return torch.zeros(seen.shape, dtype=like.dtype).masked_fill_(~seen, float("-inf")).to(like.device)


def _each_its_own(seen: torch.Tensor, together: int) -> torch.Tensor:
    """(N, 1, L, L) bool of each document → (N/W, 1, W·L, W·L) of W after one another, none of which sees another."""
    count, _, _, places = seen.shape
    windows = torch.zeros(count // together, 1, together, places, together, places, dtype=torch.bool)
    windows.diagonal(dim1=2, dim2=4).copy_(seen.reshape(-1, together, 1, places, places).permute(0, 2, 3, 4, 1))
    return windows.flatten(4, 5).flatten(2, 3)


def _mask(*arguments: Any, **named: Any) -> torch.Tensor | None:
    """No mask where documents lie end to end; else the one that transformers makes for a padded batch."""
    mask: torch.Tensor | None = None if _layout.get() is not None else sdpa_mask(*arguments, **named)
    return mask


AttentionInterface.register(NAME, attention)
AttentionMaskInterface.register(NAME, _mask)


@contextlib.contextmanager
def attending_within(layout: Layout, asked: nn.Module | None = None) -> Iterator[None]:
    """For the calls of this thread: attention keeps to the documents of a layout.

    Args:
        layout: of the batch that runs.
        asked: attention layer of whose results only those of first tokens are wanted; the others may be anything.
    """
    tokens = _layout.set(layout), _asked.set(asked)
    try:
        yield
    finally:
        _layout.reset(tokens[0])
        _asked.reset(tokens[1])
