from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from shopguide.inference.export import _write
from tests.models.test_unpadded import batch_of, model_of

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

NODES = {
    "bert": (2, 0),
    "roberta": (2, 0),
    "distilbert": (2, 0),
    "albert": (2, 0),
    "modernbert": (0, 4),  # turns query and key by their positions
    "qwen2": (0, 0),  # reads the last token that is no padding, and so takes the padded way
}
"""Of attention, of two and four layers: with the maps to query, key and value, and without."""


def exported(model: Any, path: Path) -> dict[str, int]:
    """How many nodes of each kind the written graph has."""
    tokenizer = SimpleNamespace(model_input_names=["input_ids", "attention_mask"], pad_token_id=0)
    predictor: Any = SimpleNamespace(model=model, tokenizer=tokenizer, card=SimpleNamespace(offset=0, sizes=[3]))
    _write(predictor, path)
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    return {kind: kinds.count(kind) for kind in kinds}


@pytest.mark.parametrize("kind", NODES)
def test_any_family_answers_padded_batches_as_before(kind: str, tmp_path: Path) -> None:
    model = model_of(kind, AutoModelForSequenceClassification, num_labels=3)
    batch = {name: value for name, value in batch_of([9, 1, 12, 5]).items() if name != "lengths"}
    with torch.inference_mode():
        expected = model(**batch).logits.numpy()
    kinds = exported(model, tmp_path / "model.onnx")
    assert (kinds.get("Attention", 0), kinds.get("MultiHeadAttention", 0)) == NODES[kind]
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(["logits"], {name: value.numpy() for name, value in batch.items()})
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
