from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

from shopguide.inference.onnx_graph import quantise, write_graph
from shopguide.inference.predictor import Predictor
from shopguide.inference.tagger import Tagger
from tests.models.test_unpadded import MEAN, batch_of, model_of

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
"""Of attention, of two and four layers: with the projections to query, key and value, and without."""


def exported(model: Any, path: Path, tags: bool = False) -> list[Any]:
    """The written graph's nodes."""
    predictor: Any = (Tagger if tags else Predictor).__new__(Tagger if tags else Predictor)
    predictor.model, predictor.card = model, SimpleNamespace(offset=0, sizes=[3])
    predictor.tokenizer = SimpleNamespace(model_input_names=["input_ids", "attention_mask"], pad_token_id=0)
    write_graph(predictor, path)
    return list(onnx.load(path).graph.node)


def count(nodes: list[Any]) -> tuple[int, int]:
    kinds = [node.op_type for node in nodes]
    return kinds.count("Attention"), kinds.count("MultiHeadAttention")


def answered(path: Path, batch: dict[str, torch.Tensor]) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(["logits"], {name: value.numpy() for name, value in batch.items()})
    return np.asarray(found)


def padded_batch() -> dict[str, torch.Tensor]:
    return {name: value for name, value in batch_of([9, 1, 12, 5]).items() if name != "lengths"}


@pytest.mark.parametrize(("kind", "more"), [*((kind, {}) for kind in NODES), ("modernbert", MEAN)], ids=str)
def test_any_family_answers_padded_batches_as_before(kind: str, more: dict[str, Any], tmp_path: Path) -> None:
    model, batch = model_of(kind, AutoModelForSequenceClassification, num_labels=3, **more), padded_batch()
    with torch.inference_mode():
        expected = model(**batch).logits.numpy()
    assert count(exported(model, tmp_path / "model.onnx")) == NODES[kind]
    found = answered(tmp_path / "model.onnx", batch)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(("kind", "nodes"), [("bert", (2, 0)), ("qwen2", (0, 2))])
def test_each_token_is_tagged_as_before(kind: str, nodes: tuple[int, int], tmp_path: Path) -> None:
    model, batch = model_of(kind, AutoModelForTokenClassification, num_labels=3), padded_batch()
    with torch.inference_mode():
        expected = model(**batch).logits.numpy()
    assert count(exported(model, tmp_path / "model.onnx", tags=True)) == nodes
    found, real = answered(tmp_path / "model.onnx", batch), batch["attention_mask"].numpy() > 0
    np.testing.assert_allclose(found[real], expected[real], rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_layers_that_share_their_weights_share_them_when_merged(tmp_path: Path) -> None:
    """From some size on the exporter leaves shared weights as they are, to be turned as they are used."""
    model = model_of("albert", AutoModelForSequenceClassification, num_labels=3, hidden_size=128)
    nodes = exported(model, tmp_path / "model.onnx")
    first, second = (node for node in nodes if node.op_type == "Attention")
    assert first.input[1:3] == second.input[1:3]


def test_with_eight_bits_answers_are_nearly_those(tmp_path: Path) -> None:
    model = model_of("bert", AutoModelForSequenceClassification, num_labels=3)
    batch = {name: value for name, value in batch_of([*range(1, 25)]).items() if name != "lengths"}
    with torch.inference_mode():
        expected = model(**batch).logits.numpy()
    exported(model, tmp_path / "model.onnx")
    quantise(tmp_path / "model.onnx")
    kinds = [node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node]
    assert kinds.count("QAttention") == 2
    found = answered(tmp_path / "model.onnx", batch)
    for column in range(3):
        assert np.corrcoef(found[:, column], expected[:, column])[0, 1] > 0.98
