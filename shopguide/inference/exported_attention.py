"""Attention as ONNX Runtime's own node in an exported graph, for which the written-out one takes a dozen.

Shapes: B texts, L tokens of the longest, H heads, D width of a head, C = H·D, E width of what a projection reads.
"""

from typing import Any

import numpy as np
import onnx_ir as ir
import torch
from torch import nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import bidirectional_mask_function, eager_mask

NAME = "shopguide_exported"
DOMAIN = "com.microsoft"
APART, WHOLE = "MultiHeadAttention", "Attention"
"""Nodes of attention, and of attention with the maps to query, key and value."""
BIAS = 5
"""Number of the input of `APART` that says which token sees which; none where all see all but padding."""


def attention(
    _module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float | None = None,
    **_others: Any,
) -> tuple[torch.Tensor, None]:
    """softmax(QKᵀ · scaling) V, as transformers calls it; for `torch.onnx.export` only.

    Args:
        query: (B, H, L, D).
        key: (B, H', L, D), where H' divides H.
        value: as `key`.
        mask: what `_mask` made.
        scaling: 1 / √D where none is given.

    Returns:
        (B, L, H, D), and no weights.
    """
    batch, heads, length, width = query.shape
    repeats = heads // key.shape[1]
    if repeats > 1:
        key, value = (tensor.repeat_interleave(repeats, dim=1) for tensor in (key, value))
    rows = [tensor.transpose(1, 2).reshape(batch, -1, heads * width) for tensor in (query, key, value)]
    padding, bias = (mask, None) if mask is None or mask.dim() == 2 else (None, mask)
    out: torch.Tensor = torch.onnx.ops.symbolic(
        f"{DOMAIN}::{APART}",
        [*rows, None, padding, bias],
        {"num_heads": heads, "scale": scaling or width**-0.5},
        dtype=query.dtype,
        shape=rows[0].shape,
        version=1,
    )
    return out.reshape(batch, length, heads, width), None


def _mask(*arguments: Any, **named: Any) -> torch.Tensor | None:
    """Where tokens see all others, (B, L) int32, 1 for a token and 0 for padding; else transformers' (B, 1, L, L)."""
    padding: torch.Tensor | None = named["attention_mask"]
    if named["mask_function"] is bidirectional_mask_function and padding is not None:
        return padding.to(torch.int32)
    mask: torch.Tensor | None = eager_mask(*arguments, **named)
    return mask


AttentionInterface.register(NAME, attention)
AttentionMaskInterface.register(NAME, _mask)


def simplify(graph: ir.Graph) -> int:
    """Make attention, and the linear maps of the same states to query, key and value, one node where they are in a row.

    Returns:
        How many there were.
    """
    _drop_reshapes(graph)
    found = [(node, maps) for node in graph if node.op_type == APART and (maps := _maps(node))]
    for number, (node, maps) in enumerate(found):
        _merge(graph, number, node, maps)
    return len(found)


def _drop_reshapes(graph: ir.Graph) -> None:
    """Those that come back to a shape that was there before."""
    for node in [node for node in graph if node.op_type == "Reshape"]:
        after, before = node.outputs[0], node.inputs[0]
        while before is not None and (made := before.producer()) is not None and made.op_type == "Reshape":
            before = made.inputs[0]
        if before is not None and after.shape is not None and before.shape == after.shape:
            ir.convenience.replace_all_uses_with(after, before)


Map = tuple[ir.Value, np.ndarray, np.ndarray]
"""(B, L, E) states, (E, C) weight and (C,) bias."""


def _maps(node: ir.Node) -> list[Map]:
    """Of query, key and value; none where they are not such maps of the same states, or attention is not to all."""
    if len(node.inputs) > BIAS:
        return []
    maps = [found for value in node.inputs[:3] if value is not None and (found := _linear(value))]
    return maps if len(maps) == 3 and maps[0][0] is maps[1][0] is maps[2][0] else []


def _linear(value: ir.Value) -> Map | None:
    product, bias = _made_by("Add", value)
    states, weight = _made_by("MatMul", product)
    if states is None or weight is None or bias is None or weight.const_value is None or bias.const_value is None:
        return None
    return states, weight.const_value.numpy(), bias.const_value.numpy()


def _made_by(kind: str, value: ir.Value | None) -> tuple[ir.Value | None, ir.Value | None]:
    """The two inputs of the node that makes a value, if it is of this kind."""
    node = value and value.producer()
    if not isinstance(node, ir.Node) or node.op_type != kind:
        return None, None
    first, second = node.inputs
    return first, second


def _merge(graph: ir.Graph, number: int, node: ir.Node, maps: list[Map]) -> None:
    joined = [
        ir.Value(name=f"attention_{number}_{name}", const_value=ir.tensor(np.concatenate([one[i] for one in maps], -1)))
        for i, name in ((1, "weight"), (2, "bias"))
    ]
    for value in joined:
        graph.register_initializer(value)
    whole = ir.node(WHOLE, [maps[0][0], *joined, *node.inputs[4:5]], node.attributes, domain=DOMAIN)
    graph.insert_before(node, whole)
    ir.convenience.replace_all_uses_with(node.outputs[0], whole.outputs[0])
