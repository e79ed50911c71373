"""Attention as ONNX Runtime's own node in an exported graph, for which the written-out one takes a dozen.

Shapes: B texts, L tokens of the longest, H heads, D width of a head, C = H·D, E width of what a projection reads.
"""

from dataclasses import dataclass
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
"""Nodes of attention, and of attention with the projections to query, key and value."""
PADDING, BIAS = 4, 5
"""Numbers of the inputs of `APART` that say which tokens are none, and which token sees which where not all do."""


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


def simplify(graph: ir.Graph) -> None:
    """Make attention, and the projections of the same states to query, key and value, one node."""
    _drop_reshapes(graph)
    joined: dict[Any, list[ir.Value]] = {}
    for node in [node for node in graph if node.op_type == APART]:
        if projections := _projections(node):
            _merge(graph, node, projections, joined)


def _drop_reshapes(graph: ir.Graph) -> None:
    """Those that come back to a shape that was there before."""
    for node in [node for node in graph if node.op_type == "Reshape"]:
        after, before = node.outputs[0], node.inputs[0]
        while before is not None and (made := before.producer()) is not None and made.op_type == "Reshape":
            before = made.inputs[0]
        if before is not None and _is_known(after.shape) and before.shape == after.shape:
            ir.convenience.replace_all_uses_with(after, before, replace_graph_outputs=True)


def _is_known(shape: ir.Shape | None) -> bool:
    return shape is not None and all(isinstance(dim, int) or dim.value is not None for dim in shape)


@dataclass(frozen=True)
class _Projection:
    """X W + b of (B, L, E) states X."""

    states: ir.Value
    weight: ir.Value
    """Constant (E, C) W; `turned`: Wᵀ."""
    turned: bool
    bias: ir.Value
    """Constant (C,)."""

    def numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """W and b."""
        weight, bias = (value.const_value for value in (self.weight, self.bias))
        assert weight is not None
        assert bias is not None
        return weight.numpy().T if self.turned else weight.numpy(), bias.numpy()


def _projections(node: ir.Node) -> list[_Projection]:
    """To query, key and value; none where they are not of the same states, or attention is not to all."""
    if len(node.inputs) > BIAS:
        return []
    found = [one for value in node.inputs[:3] if (one := _projection(value))]
    return found if len(found) == 3 and found[0].states is found[1].states is found[2].states else []


def _projection(value: ir.Value | None) -> _Projection | None:
    product, bias = _made_by("Add", value, 2)
    states, weight = _made_by("MatMul", product, 2)
    (source,) = _made_by("Transpose", weight, 1)
    constant = source or weight
    if states is None or constant is None or bias is None or constant.const_value is None:
        return None
    if bias.const_value is None or len(bias.const_value.shape) != 1:
        return None
    return _Projection(states, constant, source is not None, bias)


def _made_by(kind: str, value: ir.Value | None, count: int) -> tuple[ir.Value | None, ...]:
    """The inputs, so many, of the node that makes a value, if it is of this kind."""
    node = value and value.producer()
    if not isinstance(node, ir.Node) or node.op_type != kind or len(node.inputs) != count:
        return (None,) * count
    return tuple(node.inputs)


def _merge(graph: ir.Graph, node: ir.Node, projections: list[_Projection], joined: dict[Any, list[ir.Value]]) -> None:
    """Args: joined: weights and biases side by side, which layers may share."""
    key = tuple((one.weight.name, one.turned, one.bias.name) for one in projections)
    if key not in joined:
        parts = zip(("weight", "bias"), zip(*(one.numbers() for one in projections), strict=True), strict=True)
        joined[key] = [
            ir.Value(name=f"attention_{len(joined)}_{name}", const_value=ir.tensor(np.concatenate(part, -1)))
            for name, part in parts
        ]
        for value in joined[key]:
            graph.register_initializer(value)
    inputs = [projections[0].states, *joined[key], *node.inputs[PADDING:BIAS]]
    whole = ir.node(WHOLE, inputs, node.attributes, domain=DOMAIN)
    graph.insert_before(node, whole)
    ir.convenience.replace_all_uses_with(node.outputs[0], whole.outputs[0])
