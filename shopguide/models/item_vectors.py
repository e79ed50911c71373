"""A vector of its own for each product, beside that of its words: what shoppers do with it, beyond what it is called.

p = normalize(t + s · e), where t is the unit vector of the text and e, at first 0, is learnt (as the free vectors of
DropoutNet, Volkovs et al. 2017, or the offsets of collaborative topic regression, Wang and Blei 2011). A product that
no batch has held, as what fits or as a mined negative, keeps t. The scale s lets e go further with each step of AdamW
than the weights of the network.

Shapes: M products, N rows, D width.
"""

from pathlib import Path
from typing import cast

import torch
from safetensors import safe_open
from torch import nn
from torch.nn.functional import embedding, normalize

NAME = "item_vectors"
"""Of the module in the network."""


class ItemVectors(nn.Module):
    """(M, D) vectors.

    Args:
        count: M.
        width: D.
        scale: s.
    """

    scale: torch.Tensor

    def __init__(self, count: int, width: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(count, width))
        self.register_buffer("scale", torch.tensor(scale))

    def forward(self, texts: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """(N, D) unit vectors of texts, and (N,) numbers of products → (N, D) unit vectors of the products."""
        return normalize(texts + self.scale * embedding(rows, self.weight), dim=-1)


def item_vectors(model: nn.Module) -> ItemVectors | None:
    """Those of a network, if it has any."""
    return cast(ItemVectors | None, getattr(model, NAME, None))


def saved_item_vectors(weights: Path) -> ItemVectors | None:
    """Those in a file of weights, if it has any."""
    if not weights.is_file():
        return None
    with safe_open(weights, "pt") as file:
        if f"{NAME}.weight" not in file.keys():  # noqa: SIM118 (no mapping)
            return None
        weight, scale = (file.get_tensor(f"{NAME}.{part}") for part in ("weight", "scale"))
    found = ItemVectors(len(weight), weight.shape[1], float(scale))
    found.weight.data.copy_(weight)
    return found
