"""Any backbone that transformers loads: by hub name, by local folder, or from a config with random weights."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any, Literal

from torch import nn

from shopguide.config import ModelConfig
from shopguide.errors import ModelError

Head = Literal["masked_lm", "causal_lm", "classification", "tagging", "encoder"]

CLASSES: dict[Head, str] = {
    "masked_lm": "AutoModelForMaskedLM",
    "causal_lm": "AutoModelForCausalLM",
    "classification": "AutoModelForSequenceClassification",
    "tagging": "AutoModelForTokenClassification",
    "encoder": "AutoModel",
}
"""Head → the class of transformers that builds it."""


def backbone_config(model: ModelConfig) -> Any:
    """The transformers config of the chosen backbone.

    Raises:
        ModelError: neither the hub nor the folder has one, or the shape of a random one is not valid.
    """
    from transformers import AutoConfig

    if model.path is not None:
        with _told(model.path):
            return AutoConfig.from_pretrained(os.path.expanduser(model.path))
    options = {key: value for key, value in model.config.items() if key != "model_type"}
    try:
        return AutoConfig.for_model(model.config["model_type"], **options)
    except Exception as error:
        raise ModelError(f"model.config: no backbone can be made of {model.config} ({_first_line(error)})") from error


def pretraining_objective(config: Any, asked: str) -> Head:
    """`auto` → masked LM where transformers has such a head for this kind of backbone, else causal LM.

    Raises:
        ModelError: the backbone has no head of the kind asked for.
    """
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    classes = {"masked_lm": AutoModelForMaskedLM, "causal_lm": AutoModelForCausalLM}
    able = [name for name, cls in classes.items() if type(config) in cls._model_mapping]
    if asked == "auto" and able:
        return able[0]  # type: ignore[return-value]
    if asked not in able:
        raise ModelError(
            f"pretrain.objective={asked}: a `{config.model_type}` backbone has no such head "
            f"(it has: {', '.join(able) or 'none'}); choose another model or objective"
        )
    return asked  # type: ignore[return-value]


def build_model(source: str | None, config: Any, head: Head, tokenizer: Any, **settings: Any) -> nn.Module:
    """A backbone with a head: pretrained weights from `source`, random ones where it is None.

    Args:
        source: hub name or local folder.
        config: the backbone's transformers config; `settings` are set on it (for example `num_labels`).
        head: what it is for.
        tokenizer: decides the size of random embeddings and the padding token.

    Raises:
        ModelError: the weights cannot be loaded, or do not fit the tokenizer.
    """
    import transformers

    classes = {head: getattr(transformers, name) for head, name in CLASSES.items()}
    for name, value in settings.items():
        setattr(config, name, value)
    config.pad_token_id = tokenizer.pad_token_id
    if source is None:
        config.vocab_size = len(tokenizer)
        for name in ("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"):
            if hasattr(config, name):
                setattr(config, name, getattr(tokenizer, name))
        model: nn.Module = classes[head].from_config(config)
        return model
    with _told(source), quietly():
        model = classes[head].from_pretrained(os.path.expanduser(source), config=config)
    rows = model.get_input_embeddings().weight.shape[0]  # type: ignore[operator]
    if rows < len(tokenizer):
        raise ModelError(
            f"model `{source}`: its embeddings hold {rows} tokens, but the tokenizer has {len(tokenizer)}; "
            "use the tokenizer that belongs to these weights (model.tokenizer=…)"
        )
    return model


def layer_stack(model: nn.Module) -> nn.ModuleList:
    """The transformer layers of a backbone, the lowest first: the longest list of modules that it has."""
    stacks = [m for m in model.base_model.modules() if isinstance(m, nn.ModuleList)]  # type: ignore[union-attr]
    return max(stacks, key=len, default=nn.ModuleList())


def freeze_layers(model: nn.Module, count: int) -> int:
    """Stop the gradients of the embeddings and of the first `count` layers; the number of parameters frozen.

    Raises:
        ModelError: there are not that many layers.
    """
    if count == 0:
        return 0
    layers = layer_stack(model)
    if count > len(layers):
        raise ModelError(f"model.freeze_layers={count}: the backbone has {len(layers)} layers")
    frozen = [*model.get_input_embeddings().parameters(), *layers[:count].parameters()]  # type: ignore[operator]
    for parameter in frozen:
        parameter.requires_grad_(False)
    return sum(parameter.numel() for parameter in frozen)


@contextlib.contextmanager
def _told(name: str) -> Iterator[None]:
    """Loading errors in the user's words."""
    try:
        yield
    except Exception as error:
        raise ModelError(
            f"model.path={name}: expected a hub name or a folder with config.json and weights; {_first_line(error)}"
        ) from error


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """A new head on old weights is what fine-tuning is: no warning about it, and no bars for local files."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
