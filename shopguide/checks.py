"""Settings checked at once, before data or weights are touched: every fault by its key, as the user types it."""

import ast
import difflib
import importlib.util
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from shopguide.build import build
from shopguide.config import Config
from shopguide.errors import ConfigError, nearest

T = TypeVar("T")
OWN = "set by the experiment itself (use epochs, pretrain.epochs or tracking)"
RESERVED_TRAINER = {"max_epochs", "logger", "callbacks", "default_root_dir", "enable_checkpointing"}


def parse(cls: type[T], values: Mapping[str, Any], extra_faults: list[str] | None = None) -> T:
    """Check a plain dictionary against a typed config.

    Raises:
        ConfigError: names every fault by its key as the user types it, with what was expected and found.
    """
    faults = list(extra_faults or [])
    try:
        config = TypeAdapter(cls).validate_python(dict(values))
    except ValidationError as error:
        config = None
        faults += _once([describe(dict(item), values) for item in error.errors(include_url=False)])
    if faults or config is None:
        raise faulty(faults)
    return config


def _once(faults: list[str]) -> list[str]:
    """Without the faults of a key whose value is taken from a short key that is told too (`optimizer.lr` from `lr`)."""
    return [
        f for f in faults if "." not in f.partition("=")[0] or f[f.partition("=")[0].rindex(".") + 1 :] not in faults
    ]


def faulty(faults: list[str]) -> ConfigError:
    """One error for all the faults of a configuration."""
    count = "1 setting is" if len(faults) == 1 else f"{len(faults)} settings are"
    return ConfigError(f"{count} not valid:\n" + "\n".join(f"  {fault}" for fault in faults))


def parse_config(values: Mapping[str, Any]) -> Config:
    """The whole experiment's config, checked at once.

    Raises:
        ConfigError: lists every fault: unknown keys, wrong types, ranges, missing folders, tasks, trainer arguments.
    """
    faults = [*_trainer_faults(values), *_class_faults(values), *path_faults(values)]
    return parse(Config, values, faults)


def describe(item: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """One line for one pydantic error: key, expected, found."""
    location = [part for part in item["loc"] if not str(part).startswith("function-")]
    key = ".".join(str(part) for part in location) or "(config)"
    found = item.get("input")
    if item["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        siblings = _siblings(values, location)
        return f"{key}: no such setting{nearest(str(location[-1]), siblings)}"
    if item["type"] in ("missing", "missing_argument"):
        return f"{key}: required, but not set"
    if found == "":
        return f"{key}=: expected a value, found none"
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "value_error":
        return f"{key}: {message}" if location else message
    expected = message.removeprefix("Input should be ").removeprefix("a valid ")
    return f"{key}={_short(found)}: expected {expected}, found {_short(found)} ({type(found).__name__})"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _siblings(values: Mapping[str, Any], location: list[Any]) -> list[str]:
    cls: Any = Config
    for part in location[:-1]:
        annotation = getattr(cls, "__annotations__", {}).get(part)
        cls = annotation if hasattr(annotation, "__annotations__") else None
    return list(getattr(cls, "__annotations__", {}))


@lru_cache
def _trainer_arguments() -> frozenset[str]:
    """Names of Trainer's arguments, read from its source: importing it takes seconds."""
    spec = importlib.util.find_spec("pytorch_lightning")
    assert spec is not None
    assert spec.origin is not None
    source = (Path(spec.origin).parent / "trainer" / "trainer.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and node.name == "Trainer":
            init = next(n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__")
            return frozenset(a.arg for a in init.args.kwonlyargs + init.args.args) - {"self"} - RESERVED_TRAINER
    raise AssertionError("pytorch_lightning.Trainer has moved")


def _trainer_faults(values: Mapping[str, Any]) -> Iterator[str]:
    allowed = _trainer_arguments()
    for key in values.get("trainer") or {}:
        if key in RESERVED_TRAINER:
            yield f"trainer.{key}: {OWN}"
        elif key not in allowed:
            close = difflib.get_close_matches(key, [*allowed, *RESERVED_TRAINER], n=1)
            hint = f"; did you mean `trainer.{close[0]}`?" if close else ""
            if close and close[0] in RESERVED_TRAINER:
                hint = f"; `{close[0]}` is {OWN}"
            yield f"trainer.{key}: not an argument of pytorch_lightning.Trainer{hint}"


def _class_faults(values: Mapping[str, Any]) -> Iterator[str]:
    """Of the entries that name a class: tasks and the loss."""
    entries = {f"tasks.{name}": (options, {"name": name}) for name, options in (values.get("tasks") or {}).items()}
    loss = (values.get("finetune") or {}).get("loss")
    for key, (options, more) in (entries | ({} if loss is None else {"finetune.loss": (loss, {})})).items():
        if not isinstance(options, Mapping) or "target" not in options:
            yield f"{key}.target: required, but not set (a dotted class)"
            continue
        try:
            build(key, options, more)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                yield f"{key}." + describe(dict(item), {})
        except ConfigError as error:
            yield str(error)


def path_faults(values: Mapping[str, Any]) -> Iterator[str]:
    """Folders that are named but not there, and models without weights."""
    data = values.get("data") or {}
    root = data.get("root")
    if root is not None and root != "???" and not Path(str(root)).expanduser().exists():
        yield f"data.root={root}: expected an existing file or folder, found nothing there"
    model = values.get("model") or {}
    for key in ("path", "tokenizer"):
        if model.get(key):
            yield from _model_folder_faults(f"model.{key}", str(model[key]), weights=key == "path")
    yield from _foreign_weights(model)
    if model and not model.get("path") and not (model.get("config") or {}).get("model_type"):
        yield "model.config.model_type: required where model.path is null (for example `bert`)"


def _foreign_weights(model: Mapping[str, Any]) -> Iterator[str]:
    """Weights of another shape than the chosen small random model, whose learning rates would ruin them."""
    path, shape = str(model.get("path") or ""), model.get("config") or {}
    file = Path(path).expanduser() / "config.json"
    if not path or not shape or (not file.is_file() and file.parent.exists()):
        return
    found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if any(found.get(key) != shape.get(key) for key in ("model_type", "hidden_size", "n_embd")):
        yield (
            f"model.path={path}: expected weights of the shape of model={model.get('name')}, whose learning rates are "
            "those of a small random network; for others add model=pretrained"
        )


def _model_folder_faults(key: str, value: str, weights: bool) -> Iterator[str]:
    folder = Path(value).expanduser()
    local = value.startswith((".", "/", "~")) or value.count("/") > 1
    if not folder.exists():
        if local:
            yield f"{key}={value}: expected an existing folder or a hub name (owner/name), found no such folder"
    elif weights and not (folder / "config.json").is_file():
        yield f"{key}={value}: expected a Hugging Face folder, found no config.json in it"
    elif weights and not [*folder.glob("*.safetensors*"), *folder.glob("pytorch_model*.bin*")]:
        yield (
            f"{key}={value}: expected weights (model.safetensors), found none in that folder; "
            "save the model there with save_pretrained"
        )
