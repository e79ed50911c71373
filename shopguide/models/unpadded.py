"""Unpadded batches: the documents of a batch laid end to end, so that no work is done on padding.

The backbone sees one row of real tokens; positions restart at each document, and attention stays inside it. The numbers
are those of the padded batch. Any backbone is served whose attention goes through transformers' attention interface;
whether one does is found out by comparing, once (`runs_unpadded`). Any other takes the padded way.

Shapes: B documents, L longest of them, T places in all, C width, V vocabulary, M chosen positions, K outputs.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from threading import Lock, RLock
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from shopguide.models.attention import NAME, attending_within
from shopguide.models.layout import Layout

MODEL_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
Batch = dict[str, Any]
"""(B, L) `input_ids`, `attention_mask`, perhaps `token_type_ids`; `lengths`: B numbers."""


def _layout_of(batch: Batch) -> Layout:
    """Made once for a batch."""
    if "layout" not in batch:
        ids: torch.Tensor = batch["input_ids"]
        answers_one = len(batch["lengths"]) == 1 and not torch.is_grad_enabled()
        batch["layout"] = Layout(batch["lengths"], ids.shape[1], filled=not ids.is_cuda and not answers_one)
    layout: Layout = batch["layout"]
    return layout


def _inputs(model: nn.Module, batch: Batch, layout: Layout) -> Batch:
    """The batch as one row: (1, T) ids, positions and, where there are any, segment numbers."""
    placed = layout.on(batch["input_ids"].device)
    inputs = {
        name: batch[name].reshape(-1)[placed.flat][None]
        for name in MODEL_INPUTS
        if name in batch and name != "attention_mask"
    }
    return inputs | {"position_ids": placed.columns[None] + _first_position(model)}


def _first_position(model: nn.Module) -> int:
    """RoBERTa counts positions from the number after its padding token's."""
    embeddings = getattr(model.base_model, "embeddings", None)
    counts_from_padding = hasattr(embeddings, "create_position_ids_from_input_ids")
    return int(embeddings.padding_idx) + 1 if counts_from_padding else 0  # type: ignore[union-attr]


Choice = Callable[[torch.Tensor], torch.Tensor]
_hooking = Lock()
_kept: ContextVar[tuple[nn.Module, Choice] | None] = ContextVar("where only some states go on, and which", default=None)


def _keep(module: nn.Module, _arguments: Any, output: Any) -> Any:
    """Forward hook, which does nothing but for the calls of a thread inside `_keeping`."""
    kept = _kept.get()
    if kept is None or kept[0] is not module:
        return None
    if isinstance(output, tuple):
        return (kept[1](output[0]), *output[1:])
    output["last_hidden_state"] = kept[1](output["last_hidden_state"])
    return output


def _take(module: nn.Module, states: tuple[torch.Tensor, ...]) -> Any:
    """As `_keep`, of what goes into a module."""
    kept = _kept.get()
    return None if kept is None or kept[0] is not module else tuple(map(kept[1], states))


@contextlib.contextmanager
def _keeping(model: nn.Module, choose: Choice, at_end: bool = False) -> Iterator[None]:
    """For the calls of this thread: once tokens have met for the last time, only the chosen states go on.

    In BERT and its kin that is where what the attention of the last layer found is added to the states: that, and the
    feed-forward part, is then done for the chosen ones only. Else it is after the encoder below a pooler, or after the
    whole backbone; `at_end`: there in any case.
    """
    last = None if at_end else _last_attention(model)
    base = _base(model)
    module: nn.Module = last.output if last else base if at_end else getattr(base, "encoder", base)
    with _hooking:
        if last and _take not in module._forward_pre_hooks.values():
            module.register_forward_pre_hook(_take)
        elif not last and _keep not in module._forward_hooks.values():
            module.register_forward_hook(_keep)
    token = _kept.set((module, choose))
    try:
        yield
    finally:
        _kept.reset(token)


def logits_at(model: nn.Module, batch: Batch, positions: torch.Tensor) -> torch.Tensor:
    """(M, V) logits of an LM head on the chosen positions only, in their order.

    A vocabulary is tens of thousands wide and six positions of seven carry no masked-LM loss. Heads work position by
    position, so handing them only the chosen ones changes nothing.

    Args:
        model: a transformers model with an LM head.
        batch: padded, as the loader serves it.
        positions: (M,) places in the padded batch, read row by row.
    """
    width = batch["input_ids"].shape[1]
    with contextlib.ExitStack() as call:
        if runs_unpadded(model):
            layout = _layout_of(batch)
            starts = layout.on(positions.device).starts
            chosen, inputs = starts[positions // width] + positions % width, _inputs(model, batch, layout)
            call.enter_context(attending_within(layout))
            at_end = False
        else:
            chosen, inputs, at_end = positions, padded_inputs(batch), True
        call.enter_context(_keeping(model, lambda states: states.flatten(0, 1)[chosen][None], at_end))
        logits: torch.Tensor = model(**inputs, return_dict=True).logits
    return logits.squeeze(0)


def sequence_logits(model: nn.Module, batch: Batch) -> torch.Tensor:
    """(B, K) outputs of a sequence classifier, which reads the state of each document's first token, or their mean."""
    logits: torch.Tensor
    if not runs_unpadded(model):
        logits = model(**padded_inputs(batch)).logits
        return logits
    layout = _layout_of(batch)
    inputs = _inputs(model, batch, layout)
    if _pools_mean(model):
        asked, choose = None, lambda states: _means(states, batch, layout).to(states.dtype)[:, None]
    else:
        first, last = layout.on(batch["input_ids"].device).starts, _last_attention(model)
        asked, choose = last and last.self, lambda states: states.squeeze(0)[first][:, None]
    with attending_within(layout, asked), _keeping(model, choose):
        logits = model(**inputs, return_dict=True).logits
    return logits


def only_first(model: nn.Module) -> contextlib.AbstractContextManager[None]:
    """For the calls of this thread on padded batches: of what the last mixing gives, a sequence classifier that
    `runs_unpadded` works on the state of each row's first token only, unless it reads the others too.
    """
    return contextlib.nullcontext() if _pools_mean(model) else _keeping(model, lambda states: states[:, :1])


def _pools_mean(model: nn.Module) -> bool:
    """Whether a classifier reads the mean of all tokens' states, as ModernBERT's may be set to do."""
    config: Any = model.config
    return getattr(config, "classifier_pooling", None) == "mean"


def mean_states(model: nn.Module, batch: Batch) -> torch.Tensor:
    """(B, C) the backbone's last states, averaged over the tokens of each document in full precision."""
    if not runs_unpadded(model):
        mask: torch.Tensor = batch["attention_mask"]
        states: torch.Tensor = _base(model)(**padded_inputs(batch))[0].float()
        return (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
    layout = _layout_of(batch)
    with attending_within(layout):
        states = _base(model)(**_inputs(model, batch, layout))[0]
    return _means(states, batch, layout)


def _means(states: torch.Tensor, batch: Batch, layout: Layout) -> torch.Tensor:
    """(B, C) of (1, T, C) states, in full precision; 0 of a document without a token."""
    mask: torch.Tensor = batch["attention_mask"]
    flat = layout.on(states.device).flat
    owner, real = flat // layout.width, mask.flatten()[flat]
    real[len(real) - layout.filler :] = 0
    summed = states.new_zeros(len(mask), states.shape[-1], dtype=torch.float32)
    summed = summed.index_add_(0, owner, states.squeeze(0).float() * real[:, None])
    return summed / mask.sum(1, keepdim=True).clamp(min=1)


def places(model: nn.Module, batch: Batch) -> int:
    """Places that the model works on for a batch: its real tokens, and what padding or filler it takes."""
    return len(_layout_of(batch).flat) if runs_unpadded(model) else batch["input_ids"].numel()


def padded_inputs(batch: Batch) -> Batch:
    """The tensors of a batch that a transformers model takes."""
    return {name: batch[name] for name in MODEL_INPUTS if name in batch}


def _last_attention(model: nn.Module) -> Any:
    """That of the last layer where a model is built as BERT: the module, whose `output` adds what its `self` found."""
    layers = getattr(getattr(_base(model), "encoder", None), "layer", None)
    last = layers[-1] if layers is not None and hasattr(layers[-1], "intermediate") else None
    return last.attention if last and hasattr(last.attention, "self") and hasattr(last.attention, "output") else None


def _base(model: nn.Module) -> nn.Module:
    base: nn.Module = model.base_model  # type: ignore[assignment]
    return base


_verdicts: "WeakKeyDictionary[nn.Module, str]" = WeakKeyDictionary()
"""Why not; empty where documents are laid end to end."""
_settling = RLock()
_assumed: ContextVar[tuple[nn.Module, bool] | None] = ContextVar("model on trial, and its way", default=None)
TOLERANCE = 1e-4
"""Of the outputs, as a share of the largest one."""
PROBE = (5, 2, 7, 2)
"""Lengths of the documents on which the two ways are compared."""


def runs_unpadded(model: nn.Module) -> bool:
    """Whether the model gives the padded batch's numbers for the documents laid end to end: tried once.

    Where it does, its attention is ours from then on (which is transformers' own for padded batches); a model that is
    set to another attention afterwards takes the padded way.
    """
    assumed = _assumed.get()
    if assumed is not None and assumed[0] is model:
        return assumed[1]
    return not padded_because(model)


def padded_because(model: nn.Module) -> str:
    """Why the model takes padded batches; empty where it `runs_unpadded`."""
    config: Any = model.config
    with _settling:
        if model not in _verdicts:
            before = config._attn_implementation
            _verdicts[model] = _disagreement(model)
            if _verdicts[model]:
                config._attn_implementation_internal = before
    if not _verdicts[model] and config._attn_implementation != NAME:
        return f"its attention was set to `{config._attn_implementation}`"
    return _verdicts[model]


def keeps_verdict(copy: nn.Module, model: nn.Module) -> None:
    """A copy of a model, in whatever precision, takes its documents as the model does."""
    _verdicts[copy] = padded_because(model)


def _disagreement(model: nn.Module) -> str:
    config: Any = model.config
    token = _assumed.set((model, False))
    try:
        padded = probe(model)
        _assumed.set((model, True))
        config._attn_implementation_internal = NAME
        apart, largest = float((probe(model) - padded).abs().max()), float(padded.abs().max())
    except Exception:  # whatever a backbone of unknown make does with the one row
        return f"{type(model).__name__} does not take documents end to end"
    finally:
        _assumed.reset(token)
    told = f"{type(model).__name__} gives other numbers for documents end to end (by {apart:.1g}, of {largest:.1g})"
    return "" if apart <= TOLERANCE * largest else told


def _tags_words(model: nn.Module) -> bool:
    """Whether the head answers for each token: transformers has no other mark of it than the class's name."""
    return type(model).__name__.endswith("ForTokenClassification")


def probe(model: nn.Module) -> torch.Tensor:
    """The model's outputs for a few made-up documents, in evaluation mode and the precision of its weights."""
    batch = made_up(model)
    with exactly(model):
        if model.base_model is model:
            return mean_states(model, batch)
        if model.get_output_embeddings() is None and not _tags_words(model):  # type: ignore[operator]
            return sequence_logits(model, batch)
        return logits_at(model, batch, batch["attention_mask"].flatten().nonzero().squeeze(1))


def made_up(model: nn.Module) -> Batch:
    """A few documents, where the model is."""
    device = next(model.parameters()).device
    ids = torch.zeros(len(PROBE), max(PROBE), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, length in enumerate(PROBE):
        ids[row, :length] = 3 + torch.arange(row, row + length)  # beyond any padding token's number
        mask[row, :length] = 1
    return {"input_ids": ids.to(device), "attention_mask": mask.to(device), "lengths": list(PROBE)}


@contextlib.contextmanager
def exactly(model: nn.Module) -> Iterator[None]:
    """Inside, a model is in evaluation mode, computes in the precision of its weights, and remembers nothing."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad(), torch.autocast(next(model.parameters()).device.type, enabled=False):
            yield
    finally:
        model.train(training)
