"""The graph of a network in ONNX: written, made smaller, and what its file tells of itself."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from shopguide.errors import ModelError
from shopguide.inference.network import Network
from shopguide.inference.onnx import PAD
from shopguide.inference.tagger import Tagger
from shopguide.models.unpadded import MODEL_INPUTS, only_first, runs_unpadded


class _Logits(nn.Module):
    """(B, L) inputs → (B, K) outputs of one task, or (B, L, K) of a tagger, nothing else.

    Args:
        model: whose outputs they are.
        names: of its inputs.
        own: the task's outputs.
        first: of a layer's states, only those of each text's first token are worked on where the others matter no more.
    """

    def __init__(self, model: nn.Module, names: list[str], own: slice, first: bool) -> None:
        super().__init__()
        self.model, self.names, self.own, self.first = model, names, own, first

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        with only_first(self.model) if self.first else contextlib.nullcontext():
            logits: torch.Tensor = self.model(**dict(zip(self.names, inputs, strict=True))).logits
        return logits[..., self.own]


def check_packages() -> None:
    """See that what an export needs is installed.

    Raises:
        ModelError: a package is missing.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ModelError(f"export: expected the package {error.name}; pip install 'shopguide[onnx]'") from error


def write_graph(network: Network, path: Path) -> None:
    """In full precision: (B, L) inputs → `logits`, (B, K) of the task, or (B, L, K) of a tagger.

    Raises:
        ModelError: the exporter cannot follow the model.
    """
    try:
        with _quietly():
            _write(network, path)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"a model of this kind cannot be exported ({reason[:200]})") from error


def quantise(path: Path, kept: Path | None = None) -> None:
    """Weights of matrix products as 8-bit integers, in place; the model as it was is kept elsewhere, if so wanted."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    whole = kept or path.with_suffix(".whole")
    path.replace(whole)
    with _quietly():
        quantize_dynamic(whole, path, weight_type=QuantType.QInt8, per_channel=True)
    if kept is None:
        whole.unlink()


def add_metadata(path: Path, metadata: Mapping[str, str]) -> None:
    """Add to what a model's file tells of itself."""
    import onnx

    model = onnx.load(path)
    known = {entry.key: entry.value for entry in model.metadata_props}
    onnx.helper.set_model_props(model, known | dict(metadata))
    onnx.save(model, path)


def _write(network: Network, path: Path) -> None:
    import onnx
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    from shopguide.inference import exported_attention

    names = [name for name in MODEL_INPUTS if name in network.tokenizer.model_input_names]
    shapes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length")}
    model: Any = network.model
    swaps = runs_unpadded(model)  # whose attention is transformers' to choose; of a classifier only first tokens matter
    logits = _Logits(model, names, _own(network), first=swaps and not isinstance(network, Tagger)).eval()
    with _attending(model, exported_attention.NAME if swaps else "eager"):
        program = torch.onnx.export(
            logits,
            tuple(torch.ones(2, 7, dtype=torch.long) for _ in names),  # one tensor twice would become one input
            dynamo=True,
            input_names=names,
            output_names=["logits"],
            dynamic_shapes=((shapes,) * len(names),),
            verbose=False,
        )
    assert program is not None
    exported_attention.simplify(program.model.graph)
    RemoveUnusedNodesPass()(program.model)
    written = program.model_proto
    onnx.helper.set_model_props(written, {PAD: str(network.tokenizer.pad_token_id)})
    onnx.save(written, path)


@contextlib.contextmanager
def _attending(model: Any, implementation: str) -> Iterator[None]:
    before = model.config._attn_implementation
    model.set_attn_implementation(implementation)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def _own(network: Network) -> slice:
    """The task's outputs among those of the network."""
    card = network.card
    return slice(None) if isinstance(network, Tagger) else slice(card.offset, card.offset + sum(card.sizes))


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """The exporter's advice is for its makers."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
