"""Every choice of an experiment, typed and checked at once, before data or weights are touched.

The commands compose these from `conf/` with Hydra; plain Python builds them by `parse_config` from a dictionary, or by
calling the classes. Importing this module is cheap: it needs neither torch nor Hydra.
"""

import ast
import difflib
import importlib
import importlib.util
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from shopguide.errors import ConfigError

STRICT = ConfigDict(extra="forbid", validate_default=True)
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Monitor = Literal["dev/loss", "dev/accuracy", "dev/macro_f1", "dev/weighted_f1", "dev/ece"]
InferencePrecision = Literal["auto", "32"]
LOSSES = "shopguide.objectives.losses"
T = TypeVar("T")


@dataclass(config=STRICT)
class SplitConfig:
    """How held-out rows are set apart: never by row."""

    by: Literal["user_time", "group"] = "user_time"
    """`user_time`: later users are held out; `group`: whole queries or titles are held out."""
    fractions: tuple[Share, Share, Share] = (0.8, 0.1, 0.1)
    """Shares of train, dev and test."""
    seed: int = 0

    def __post_init__(self) -> None:
        if abs(sum(self.fractions) - 1) > 1e-6:
            raise ValueError(f"the three fractions must add up to 1, found {sum(self.fractions):g}")


@dataclass(config=STRICT)
class DataConfig:
    """Where the shop's records are, and how they are read."""

    name: str
    reader: str
    """`demo`, `files`, the name of a public set, or the dotted module of a reader of your own."""
    root: str | None = None
    on_bad_rows: Literal["stop", "quarantine"] = "stop"
    targets: list[str] | None = None
    """Label fields of the `features` task: `category` or names of attributes; null: chosen from the catalogue."""
    split: SplitConfig = field(default_factory=SplitConfig)
    max_leak: Share | None = None
    """Refuse to train where more of a task's held-out texts than this share stand, exactly or nearly, in what is learnt
    from; null: count and tell only."""
    options: dict[str, Any] = field(default_factory=dict)
    """Passed to the reader as it is."""
    cache_dir: str = ".cache/shopguide"


@dataclass(config=STRICT)
class ModelConfig:
    """The pretrained backbone, or the shape of one with random weights."""

    name: str
    path: str | None = None
    """Hub name or local folder; null: random weights in the shape of `config`."""
    config: dict[str, Any] = field(default_factory=dict)
    """With `path: null`, the arguments of the transformers config, with its `model_type`."""
    tokenizer: str | None = None
    """Hub name or local folder; null: the one beside `path`, or one trained on the shop's text."""
    vocab_size: Count = 8000
    """Size of a tokenizer trained on the shop's text."""
    freeze_layers: Annotated[int, Field(ge=0)] = 0
    """Fine-tune with the embeddings and this many of the first layers frozen (0: all weights train)."""


@dataclass(config=STRICT)
class OptimizerConfig:
    """AdamW with weight-decay groups and a schedule over the phase's steps."""

    lr: Positive
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    betas: tuple[Share, Share] = (0.9, 0.999)
    eps: Positive = 1e-8
    schedule: Literal["linear", "cosine", "wsd", "constant"] = "linear"
    """After warm-up: linear or cosine to zero; `wsd` stays up and falls linearly over the last `decay_share`."""
    warmup_share: Share = 0.06
    decay_share: Share = 0.2
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Learning rate of a layer as a share of that of the layer above it; 1: the same for all."""


@dataclass(config=STRICT)
class BatchConfig:
    """How examples become batches: bounded by rows and, if set, by tokens."""

    size: Count = 32
    tokens: Count | None = None
    num_workers: Annotated[int, Field(ge=0)] = 0


@dataclass(config=STRICT)
class MaskingConfig:
    """Which positions the masked LM must restore, and what stands there meanwhile."""

    strategy: Literal["token", "whole_word", "span"] = "whole_word"
    """`span`: runs of whole words."""
    probability: Annotated[float, Field(gt=0, le=1)] = 0.15
    mask_share: Share = 0.8
    random_share: Share = 0.1
    """The rest of the chosen positions keep their token."""
    segmenter: Literal["jieba"] | None = None
    """Finds whole Chinese words (extra `zh`); null: each Chinese character is a word."""

    def __post_init__(self) -> None:
        if self.mask_share + self.random_share > 1 + 1e-9:
            raise ValueError("mask_share + random_share must be at most 1")


@dataclass(config=STRICT)
class PretrainConfig:
    """Continued pretraining on the shop's text."""

    objective: Literal["auto", "masked_lm", "causal_lm"]
    """`auto`: masked LM where the backbone has such a head, causal LM for decoders."""
    lr: Positive
    epochs: Count
    max_length: Annotated[int, Field(ge=8)] = 128
    documents: list[Literal["products", "queries", "sessions", "dialogues"]] = field(
        default_factory=lambda: ["products", "sessions"]
    )
    """`sessions`: the query and the titles seen and bought, in the order of the shopper's actions."""
    fields: list[str] = field(default_factory=lambda: ["title", "category", "attributes", "description"])
    """Fields of a product's card: product fields, `attributes` (the values of all), or `attributes.<name>`."""
    held_out: Share = 0.03
    """Share of the documents kept apart to measure perplexity."""
    masking: MaskingConfig = field(default_factory=MaskingConfig)
    batch: BatchConfig = field(default_factory=BatchConfig)
    patience: Count | None = None
    """Stop after this many epochs without a lower held-out loss; null: never."""


@dataclass(config=STRICT)
class FinetuneConfig:
    """Fine-tuning on one labelled task."""

    epochs: Count
    max_length: Annotated[int, Field(ge=4)] = 128
    batch: BatchConfig = field(default_factory=BatchConfig)
    monitor: Monitor | None = "dev/macro_f1"
    """The epoch that is best by it is kept; null: the last one."""
    patience: Count | None = None
    loss: dict[str, Any] = field(default_factory=lambda: {"target": f"{LOSSES}.cross_entropy.CrossEntropy"})
    """`target` (dotted class of a loss) and that class's options."""
    label_smoothing: Share = 0.0
    r_drop: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the disagreement of two runs of each batch under other dropout (Liang et al. 2021); 0: one run."""
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Decay of an exponential moving average of the weights, which is kept in their place; null: none."""
    max_examples: Count | None = None
    """Learn from at most this many training examples, drawn by the seed; null: from all."""
    baselines: bool = True
    """Also score the majority class and TF-IDF + logistic regression."""


@dataclass(config=STRICT)
class TrackingConfig:
    """Where MLflow writes."""

    uri: str | None = None
    """null: the variable MLFLOW_TRACKING_URI, or else `sqlite:///<root>/mlflow.db`."""
    experiment: str = "shopguide"
    root: str = "mlruns"
    """Folder of the embedded store and of the checkpoints."""
    log_every: Count = 10
    """Optimizer steps between two points of a curve."""

    def __post_init__(self) -> None:
        uri = self.uri or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite://"
        if uri.startswith("file:") or not ("://" in uri or uri.startswith("databricks")):
            folder = re.sub("^/+", "/", uri.removeprefix("file:"))
            raise ValueError(
                f"uri={uri}: expected a database or server (sqlite:///…, http://…, databricks), found a folder, which "
                f"MLflow no longer serves as a store; write sqlite:///{folder}/mlflow.db"
            )


@dataclass(config=STRICT)
class Config:
    """One experiment."""

    name: str
    phases: list[Literal["pretrain", "finetune"]]
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    data: DataConfig
    model: ModelConfig
    tasks: dict[str, dict[str, Any]]
    """Task name → `target` (dotted class) and that class's options."""
    optimizer: OptimizerConfig
    pretrain: PretrainConfig
    finetune: FinetuneConfig
    tracking: TrackingConfig
    trainer: dict[str, Any] = field(default_factory=dict)
    """Passed to `pytorch_lightning.Trainer` as it is."""
    sort_by: str = "dev/score"
    """Metric of the experiment's run that sorts a sweep's table: losses, perplexity and `ece` from the lowest."""
    lr: Positive | None = None
    epochs: Count | None = None
    resume: str | None = None

    def __post_init__(self) -> None:
        if self.resume == "":
            raise ValueError("resume=: expected a run's id, found none")
        if not self.phases:
            raise ValueError("phases must name at least one of: pretrain, finetune")
        if "finetune" in self.phases and not self.tasks:
            raise ValueError("tasks must name at least one task to fine-tune on")
        known = sortable_metrics(self.phases, list(self.tasks))
        if self.sort_by not in known:
            raise ValueError(
                f"sort_by={self.sort_by}: no such metric of the experiment's run{nearest(self.sort_by, known)}"
            )


def sortable_metrics(phases: Sequence[str], tasks: Sequence[str]) -> list[str]:
    """The metrics that an experiment's run ends with."""
    scores = [f"{task}/{name}" for task in tasks for name in ("accuracy", "macro_f1", "weighted_f1", "ece")]
    found = ["dev/score"]
    if "pretrain" in phases:
        found += ["pretrain/dev/loss", "pretrain/dev/perplexity"]
    return [*found, "test/score", *scores] if "finetune" in phases else found


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


def nearest(word: str, candidates: Iterator[str] | list[str] | set[str]) -> str:
    """`; did you mean …?` and the valid names, to append to a message."""
    names = sorted(set(candidates))
    begun = [name for name in names if len(word) > 3 and name.startswith(word)]
    close = begun or difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    return hint + (f" (valid: {', '.join(names)})" if len(names) <= 24 else "")


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
            _build(key, options, more)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                yield f"{key}." + describe(dict(item), {})
        except ConfigError as error:
            yield str(error)


def build_task(name: str, options: Mapping[str, Any]) -> Any:
    """The task object that a `tasks.<name>` entry describes.

    Raises:
        ConfigError: its class cannot be imported.
        pydantic.ValidationError: an option is not valid.
    """
    return _build(f"tasks.{name}", options, {"name": name})


def build_loss(options: Mapping[str, Any]) -> Any:
    """The loss that `finetune.loss` describes.

    Raises:
        ConfigError: its class cannot be imported.
        pydantic.ValidationError: an option is not valid.
    """
    return _build("finetune.loss", options, {})


def _build(key: str, options: Mapping[str, Any], more: Mapping[str, Any]) -> Any:
    module, _, attribute = str(options["target"]).rpartition(".")
    try:
        cls = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"{key}.target={options['target']}: cannot be imported ({error})") from error
    return TypeAdapter(cls).validate_python({**more, **{k: v for k, v in options.items() if k != "target"}})


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
    if model and not model.get("path") and not (model.get("config") or {}).get("model_type"):
        yield "model.config.model_type: required where model.path is null (for example `bert`)"


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
