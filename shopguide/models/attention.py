"""Attention inside each document of a row in which documents lie end to end.

Attention is the only part of a transformer in which tokens meet. transformers' attention interface is given a function
that keeps documents apart: those of about equal length are attended to together.

Shapes: B documents, L longest of them, T tokens in all, H heads, D width of a head.
"""

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from shopguide.models.dropout import draw_kept
from shopguide.models.dropout import dropout as cheap_dropout

NAME = "shopguide_unpadded"


SLACK = 16
"""Tokens of padding for which documents of unequal length may share a group: on CPU a group costs about as much."""


@dataclass(frozen=True)
class Group:
    """Documents that are attended to together: neighbours in the row, each taking as many places as the longest."""

    first: int
    """Place of the first token in the row."""
    lengths: tuple[int, ...]

    @property
    def longest(self) -> int:
        """Places that each document takes."""
        return self.lengths[0]

    @property
    def places(self) -> int:
        """Places that the group takes."""
        return self.longest * len(self.lengths)

    def real_keys(self) -> torch.Tensor | None:
        """(N, 1, 1, L) bool: the places that are no padding; None where there is no padding."""
        if self.lengths[-1] == self.longest:
            return None
        return (torch.arange(self.longest) < torch.tensor(self.lengths)[:, None])[:, None, None]


class Layout:
    """Where the documents of a batch lie in the one row: the longest first, those of about equal length in one group.

    Args:
        lengths: B numbers of tokens.
        width: L, the padded length.
        slack: tokens of padding that a group may hold.
    """

    def __init__(self, lengths: Sequence[int], width: int, slack: int = SLACK) -> None:
        self.lengths, self.width = np.asarray(lengths, dtype=np.int64), width
        self.order = np.argsort(-self.lengths, kind="stable")
        self.groups = _grouped(self.lengths[self.order].tolist(), slack)
        self.masks: dict[Any, torch.Tensor | None] = {}
        """Who sees whom in a group, for all layers of a kind."""
        self._taken = np.repeat([g.longest for g in self.groups], [len(g.lengths) for g in self.groups])

    @cached_property
    def starts(self) -> np.ndarray:
        """(B,) place of each document's first token, documents as in the batch."""
        starts = np.empty_like(self.lengths)
        starts[self.order] = np.cumsum(self._taken) - self._taken
        return starts

    @cached_property
    def columns(self) -> np.ndarray:
        """(T,) place of each token in its document."""
        columns: np.ndarray = np.arange(self._taken.sum()) - np.repeat(np.sort(self.starts), self._taken)
        return columns

    @cached_property
    def flat(self) -> np.ndarray:
        """(T,) place of each token in the padded batch, read row by row."""
        flat: np.ndarray = np.repeat(self.order * self.width, self._taken) + self.columns
        return flat

    @cached_property
    def bounds(self) -> np.ndarray:
        """(B + 1,) cumulative lengths, for variable-length kernels; only without padding."""
        return np.concatenate([[0], np.cumsum(self._taken)]).astype(np.int32)


def _grouped(lengths: list[int], slack: int) -> list[Group]:
    """Cut falling lengths into groups, each with at most `slack` tokens of padding."""
    groups: list[Group] = []
    start = first = padding = 0
    for place, length in enumerate(lengths):
        padding += lengths[start] - length
        if padding > slack:
            groups.append(Group(first, tuple(lengths[start:place])))
            first += groups[-1].places
            start, padding = place, 0
    return [*groups, Group(first, tuple(lengths[start:]))] if lengths else groups


_layout: ContextVar[Layout | None] = ContextVar("layout of the batch that runs now", default=None)


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

    Outside `attending_within` it is transformers' own attention for padded batches.

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
    if layout is None:
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
    if query.is_cuda and query.dtype in (torch.float16, torch.bfloat16) and not dropout:
        return _varlen(rows, layout, scaling, causal, sliding_window)[None], None
    # Split, not sliced: the gradient of a slice is as large as the row, and there is one a group.
    sizes = [group.places for group in layout.groups]
    pieces = zip(*(torch.split(row, sizes) for row in rows), strict=True)
    kept, parts = _draws(layout, query, dropout), []
    for group, piece in zip(layout.groups, pieces, strict=True):
        shape = (len(group.lengths), group.longest)
        documents = [tensor.view(*shape, *tensor.shape[1:]).transpose(1, 2) for tensor in piece]
        kind = (group.first, sliding_window, causal)
        if kind not in layout.masks:
            layout.masks[kind] = _seen(group, sliding_window, causal, query.device)
        seen = layout.masks[kind]
        out = _attend(documents, scaling, dropout, causal and seen is None, seen, next(kept))
        parts.append(out.transpose(1, 2).flatten(0, 1))
    return torch.cat(parts)[None], None


def _draws(layout: Layout, query: torch.Tensor, dropout: float) -> Iterator[torch.Tensor | None]:
    """For each group, who is kept of its (N, H, L, L) weights; None where the library's kernel draws, if anyone."""
    if not dropout or query.is_cuda:
        return repeat(None)
    sizes = [group.places * query.shape[1] * group.longest for group in layout.groups]
    return iter(torch.split(draw_kept(sum(sizes), dropout), sizes))


def _attend(
    documents: list[torch.Tensor],
    scaling: float | None,
    dropout: float,
    causal: bool,
    seen: torch.Tensor | None,
    kept: torch.Tensor | None,
) -> torch.Tensor:
    """(N, H, L, D) thrice → (N, H, L, D). The library's kernel, but for dropout on CPU, which it does slowly."""
    query, key, value = documents
    if kept is None:
        return scaled_dot_product_attention(
            query, key, value, attn_mask=seen, dropout_p=dropout, is_causal=causal, scale=scaling
        )
    scores = torch.matmul(query * (scaling or query.shape[-1] ** -0.5), key.transpose(-1, -2))
    if causal:
        seen = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    if seen is not None:
        scores = scores.masked_fill(~seen, float("-inf"))
    return torch.matmul(cheap_dropout(scores.softmax(-1), dropout, kept), value)


@torch.inference_mode(False)  # kept for all layers, in training perhaps for their gradients
def _seen(group: Group, window: int | None, causal: bool, device: torch.device) -> torch.Tensor | None:
    """(N or 1, 1, L or 1, L) bool: who sees whom, where the kernel's own rule does not say it."""
    real = group.real_keys()
    narrow = window is not None and group.longest > window
    if real is None and not narrow:
        return None
    place = torch.arange(group.longest)
    ahead = place[None] - place[:, None]
    seen = torch.ones_like(ahead, dtype=torch.bool) if window is None else ahead.abs() < window
    seen = seen & (ahead <= 0) if causal else seen
    # Padding sees itself: a row that saw nothing would be NaN, and reach the others through its value.
    return (seen if real is None else (seen & real) | (ahead == 0)).to(device)


def _varlen(
    rows: list[torch.Tensor], layout: Layout, scaling: float | None, causal: bool, window: int | None
) -> torch.Tensor:
    """(T, H, D) thrice → (T, H, D) by torch's variable-length kernel."""
    from torch.nn.attention.varlen import varlen_attn

    bounds = torch.from_numpy(layout.bounds).to(rows[0].device, non_blocking=True)
    reach = -1 if window is None else window - 1
    longest = int(layout.lengths.max())
    sides = (reach, 0 if causal else reach)
    query, key, value = rows
    out = varlen_attn(query, key, value, bounds, bounds, longest, longest, scale=scaling, window_size=sides)
    assert isinstance(out, torch.Tensor)
    return out


def _mask(*arguments: Any, **named: Any) -> torch.Tensor | None:
    """No mask where documents lie end to end; else the one that transformers makes for a padded batch."""
    mask: torch.Tensor | None = None if _layout.get() is not None else sdpa_mask(*arguments, **named)
    return mask


AttentionInterface.register(NAME, attention)
AttentionMaskInterface.register(NAME, _mask)


@contextlib.contextmanager
def attending_within(layout: Layout) -> Iterator[None]:
    """For the calls of this thread: attention keeps to the documents of a layout."""
    token = _layout.set(layout)
    try:
        yield
    finally:
        _layout.reset(token)
