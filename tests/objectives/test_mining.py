from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModel

from shopguide.config import OptimizerConfig
from shopguide.models.unpadded import mean_states
from shopguide.objectives.matching import Matching
from shopguide.objectives.mining import Mining
from shopguide.text.examples import Collate
from shopguide.text.pairs import QueryPairs
from shopguide.text.tokenizer import train_tokenizer

PRODUCTS = [f"thing {word} of {word}" for word in ["red", "blue", "green", "black", "white", "wood", "steel", "glass"]]
QUERIES = ["red thing", "glass", "wood of"]
POSITIVES = [[0, 1], [7], [5]]


class At:
    """A trainer at an epoch."""

    def __init__(self, epoch: int) -> None:
        self.current_epoch = epoch


@pytest.mark.parametrize("at_once", [1, 1 << 20])
def test_the_nearest_that_are_not_known_to_fit(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shopguide.objectives.nearest.AT_ONCE", at_once)
    monkeypatch.setattr("shopguide.objectives.mining.POOL", 4)
    tokenizer: Any = train_tokenizer(iter([*PRODUCTS, *QUERIES]), 200, "bert")
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    model = AutoModel.from_config(AutoConfig.for_model("bert", vocab_size=len(tokenizer), pad_token_id=0, **shape))
    pairs = QueryPairs(tokenizer, QUERIES, PRODUCTS, POSITIVES, 16)
    first = np.array([[0, 2], [3, 7], [4, 6]])
    mining = Mining(pairs, tokenizer.pad_token_id, first)
    assert pairs.pool is not None
    assert pairs.pool.tolist() == [[2, -1], [3, -1], [4, 6]]
    module = Matching(model, OptimizerConfig(lr=1e-3), mining=mining).train()
    assert module.configure_callbacks() == [mining]
    mining.on_train_epoch_start(At(0), module)  # type: ignore[arg-type]
    assert pairs.pool.tolist() == [[2, -1], [3, -1], [4, 6]]
    mining.on_train_epoch_start(At(1), module)  # type: ignore[arg-type]
    assert model.training
    model.eval()
    collate = Collate(tokenizer.pad_token_id)
    with torch.no_grad():
        vectors = [
            torch.nn.functional.normalize(
                mean_states(model, collate([texts[(0, i)] for i in range(len(texts))])), dim=-1
            )
            for texts in (pairs.queries, pairs.products)
        ]
    order = (vectors[0] @ vectors[1].T).argsort(1, descending=True)[:, :4].tolist()
    expected = [[row for row in rows if row not in fits] for rows, fits in zip(order, POSITIVES, strict=True)]
    assert [[row for row in own if row >= 0] for own in pairs.pool.tolist()] == expected
    again = QueryPairs(tokenizer, QUERIES, PRODUCTS, POSITIVES, 16)
    resumed = Mining(again, tokenizer.pad_token_id, first)
    resumed.load_state_dict(mining.state_dict())
    assert again.pool is not None
    assert again.pool.tolist() == pairs.pool.tolist()
