"""Every choice of an experiment, typed.

The commands compose these from `conf/` with Hydra; plain Python builds them by `checks.parse_config` from a dictionary,
or by calling the classes. Importing this module is cheap: it needs neither torch nor Hydra.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from shopguide.errors import nearest

STRICT = ConfigDict(extra="forbid", validate_default=True)
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Monitor = Literal[
    "auto",
    "dev/loss",
    "dev/accuracy",
    "dev/macro_f1",
    "dev/weighted_f1",
    "dev/ece",
    "dev/f1",
    "dev/precision",
    "dev/recall",
    "dev/ndcg_at_10",
]
InferencePrecision = Literal["auto", 32]
CATALOGUE = "catalogue"
MASK, TEXT = "[MASK]", "{text}"
"""Of a prompt's template: the gap, and where the text stands."""
THRESHOLD = 0.5
"""Of a label's probability where a text may have several: from there on it is given."""
LOSSES = "shopguide.objectives.losses"


UNSEEN = 1 / 3
"""Share of training before which a job is compared with no other: high learning rates begin slowly, and end well."""
FOLD = "data.split.fold"
"""The setting that tells the folds of a cross-validation apart."""


@dataclass(config=STRICT)
class SplitConfig:
    """How held-out rows are set apart: never by row."""

    by: Literal["user_time", "group"] = "user_time"
    """`user_time`: later users are held out; `group`: whole queries or titles are held out."""
    fractions: tuple[Share, Share, Share] = (0.8, 0.1, 0.1)
    """Shares of train, dev and test."""
    seed: int = 0
    folds: Annotated[int, Field(ge=2)] | None = None
    """Of cross-validation: into how many parts what is not test is cut."""
    fold: Annotated[int, Field(ge=0)] | None = None
    """Number of the part that is dev; the others are train. With `user_time`, those before it."""

    def __post_init__(self) -> None:
        if abs(sum(self.fractions) - 1) > 1e-6:
            raise ValueError(f"the three fractions must add up to 1, found {sum(self.fractions):g}")
        if (self.fold is None) != (self.folds is None):
            raise ValueError("fold and folds: one needs the other; cv.folds=5 sets both, for each part in turn")
        if self.fold is not None and self.folds is not None and self.fold >= self.folds:
            raise ValueError(f"fold={self.fold}: expected a number below {self.folds}")


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
    num_workers: Annotated[int, Field(ge=0)] | None = None
    """Processes that make batches; None: some where a GPU trains, none where the CPU itself is busy."""


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
    entities: list[str] = field(default_factory=list)
    """Phrases that are masked as one word: `catalogue` (the shop's own categories, attribute values and annotated
    spans), or files with a phrase a line."""

    def __post_init__(self) -> None:
        if self.mask_share + self.random_share > 1 + 1e-9:
            raise ValueError("mask_share + random_share must be at most 1")
        if self.entities and self.strategy == "token":
            raise ValueError("entities are masked as whole words: they go with strategy=whole_word or span")
        for place in self.entities:
            if place != CATALOGUE and not Path(place).expanduser().is_file():
                raise ValueError(
                    f"entities={place}: expected `{CATALOGUE}` or a file with a phrase a line, found neither"
                )


@dataclass(config=STRICT)
class PretrainConfig:
    """Continued pretraining on the shop's text."""

    objective: Literal["auto", "masked_lm", "causal_lm"]
    """`auto`: masked LM where the backbone has such a head, causal LM for decoders."""
    lr: Positive
    epochs: Count
    max_length: Annotated[int, Field(ge=8)] = 128
    documents: list[Literal["products", "queries", "sessions", "dialogues", "pairs", "annotations"]] = field(
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
class MatchingConfig:
    """How a query is drawn to its products, of the task `search`."""

    temperature: Positive = 0.05
    """Of the softmax over the products of a batch: the smaller, the more the nearest wrong ones count."""
    hard: Annotated[int, Field(ge=0)] = 0
    """Wrong products beside those of the batch, for each pair: drawn from those that share most words with its query,
    from the second epoch on from those that the model takes for the nearest."""
    cached: Count | None = None
    """Texts whose inner states are held at a time, and computed twice: for batches larger than memory; null: all."""
    dimensions: list[Count] = field(default_factory=list)
    """Numbers of a vector's first dimensions that are to serve alone as well, for smaller indexes (Matryoshka)."""
    items: Annotated[float, Field(ge=0)] = 0.0
    """How much further than the network's weights each step moves a vector that each product has beside its text's:
    what shoppers do with it, beyond its words. 0: there is none. Four numbers a dimension and product in memory."""
    teacher: str | None = None
    """Folder of a model that grades pairs (task `relevance`, saved or exported), from which the order of each product
    and its hard negatives is learnt as well; null: none."""

    def __post_init__(self) -> None:
        if self.teacher is not None and not self.hard:
            raise ValueError("teacher goes with hard=1 or more: it tells a product from wrong ones")
        if self.teacher is not None and not Path(self.teacher).expanduser().is_dir():
            raise ValueError(
                f"teacher={self.teacher}: expected the folder of a model that grades pairs, found none there"
            )


@dataclass(config=STRICT)
class FinetuneConfig:
    """Fine-tuning on one labelled task."""

    epochs: Count
    max_length: Annotated[int, Field(ge=4)] = 128
    batch: BatchConfig = field(default_factory=BatchConfig)
    monitor: Monitor | None = "auto"
    """The epoch that is best by it is kept; `auto`: by macro F1 of classes, by nDCG@10 of grades that rank, by F1
    of spans; null: the last one."""
    patience: Count | None = None
    loss: dict[str, Any] = field(default_factory=lambda: {"target": f"{LOSSES}.cross_entropy.CrossEntropy"})
    """`target` (dotted class of a loss) and that class's options."""
    label_smoothing: Share = 0.0
    r_drop: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the disagreement of two runs of each batch under other dropout (Liang et al. 2021); 0: one run."""
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Decay of an exponential moving average of the weights, which is kept in their place; null: none."""
    matching: MatchingConfig = field(default_factory=MatchingConfig)
    max_examples: Count | None = None
    """Learn from at most this many training examples, drawn by the seed (those of a list together); null: from all."""
    prompt: dict[str, Any] | None = None
    """Classify by the masked-LM head: `template`, with `[MASK]` and after it `{text}`, and `words` (class → one token;
    a class without one is its own word); for few examples and tasks of one target. null: a new head."""
    probe: bool = True
    """Start a classifier's new layer as logistic regression on the frozen backbone (Kumar et al. 2022); else random."""
    shared: bool = False
    """One encoder, and one model folder, for all classification tasks; else each task has its own."""
    lexical: bool = False
    """Fuse a classifier with logistic regression on words and letters, each believed as far as the dev split says."""
    baselines: bool = True
    """Also score the majority class and TF-IDF + logistic regression."""

    def __post_init__(self) -> None:
        if self.prompt is not None and set(self.prompt) - {"template", "words"}:
            raise ValueError(f"prompt: expected template and words, found {', '.join(map(str, self.prompt))}")
        if self.prompt is not None and (fault := template_fault(self.prompt.get("template"))):
            raise ValueError(fault)
        if self.prompt is not None and self.shared:
            raise ValueError("prompt and shared: a prompt is asked of a network of its own; set one of the two")


def template_fault(template: object) -> str | None:
    """What is wrong with a prompt's template."""
    if isinstance(template, str) and 0 <= template.find(MASK) < template.find(TEXT):
        return None
    return f"prompt.template={template}: expected {MASK} and, after it, {TEXT} (a long text is cut off)"


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

    def typed(self) -> str:
        """The words that lead to the same store, each after a blank; none for the usual one."""
        said = {"root": self.root, "experiment": self.experiment}
        words = [f" tracking.{name}={value}" for name, value in said.items() if value != getattr(TrackingConfig, name)]
        return "".join(words)

    def __post_init__(self) -> None:
        uri = self.uri or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite://"
        if uri.startswith("file:") or not ("://" in uri or uri.startswith("databricks")):
            folder = re.sub("^/+", "/", uri.removeprefix("file:"))
            raise ValueError(
                f"uri={uri}: expected a database or server (sqlite:///…, http://…, databricks), found a folder, which "
                f"MLflow no longer serves as a store; write sqlite:///{folder}/mlflow.db"
            )


@dataclass(config=STRICT)
class SweepConfig:
    """How a sweep (`-m`) is run."""

    dry_run: bool = False
    """Only tell the plan: the jobs, what is done of them, how long the rest may take."""
    fresh: bool = False
    """Do every job, also what the same sweep did before, below a run of its own."""
    slots: Count = 1
    """Jobs at a time on this machine, each in a process of its own with its share of the cores, or a GPU of its own."""
    disk_gb: Positive | None = None
    """Of its jobs' checkpoints and models: beyond it, files of the worst jobs are removed as jobs end."""
    search: Literal["tpe", "random"] | None = None
    """Look for good values instead of trying all: by what jobs so far reached (Bergstra et al. 2011), or at random."""
    trials: Count = 20
    """Jobs of a search, those that failed left out."""
    hours: Positive | None = None
    """A search begins no job after so many hours of jobs."""
    prune: Literal["median", "halving"] | None = None
    """Give a job of a search up after an epoch, from a third of its training on, in which it is below the median of
    those of its length, or not among the best third at its rung (Li et al. 2020, asynchronous successive halving)."""

    def __post_init__(self) -> None:
        if self.search is None and (self.prune or self.hours):
            raise ValueError("prune and hours go with sweep.search=tpe (or random)")


@dataclass(config=STRICT)
class CrossValidationConfig:
    """Each setting once a fold, compared by the mean."""

    folds: Annotated[int, Field(ge=2)] | None = None
    choose: list[str] = field(default_factory=list)
    """Settings that are varied over their `candidates`, where the command line does not say over what."""
    candidates: dict[str, list[Any]] = field(default_factory=dict)
    """Setting → its values."""
    refit: bool = False
    """At the end, train with what was chosen on the split without folds."""

    def __post_init__(self) -> None:
        if self.folds is None and (self.choose or self.refit):
            raise ValueError("choose and refit go with cv.folds=5 (or another number of folds)")
        if missing := [name for name in self.choose if not self.candidates.get(name)]:
            raise ValueError(
                f"choose={missing[0]}: expected its values in cv.candidates, or {missing[0]}=<one>,<other>"
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
    on_missing_labels: Literal["stop", "leave_out"] = "stop"
    """What happens to a task that the records cannot teach: they have too few of its labels."""
    sort_by: str = "dev/score"
    """Metric of the experiment's run that sorts a sweep's table: losses, perplexity and `ece` from the lowest."""
    lr: Positive | None = None
    epochs: Count | None = None
    resume: str | None = None
    sweep: SweepConfig = field(default_factory=SweepConfig)
    cv: CrossValidationConfig = field(default_factory=CrossValidationConfig)

    def __post_init__(self) -> None:
        if self.resume == "":
            raise ValueError("resume=: expected a run's id, found none")
        if not self.phases:
            raise ValueError("phases must name at least one of: pretrain, finetune")
        if "finetune" in self.phases and not self.tasks:
            raise ValueError("tasks must name at least one task to fine-tune on")
        if self.sweep.prune and (self.sort_by != "dev/score" or "finetune" not in self.phases):
            raise ValueError("sweep.prune: jobs are given up by dev/score, which sort_by and phases have to be for")
        if self.sweep.search and self.cv.folds:
            raise ValueError("sweep.search and cv.folds: a search has no folds; set one of the two")
        known = sortable_metrics(self.phases, list(self.tasks))
        if self.sort_by not in known:
            raise ValueError(
                f"sort_by={self.sort_by}: no such metric of the experiment's run{nearest(self.sort_by, known)}"
            )


def sortable_metrics(phases: Sequence[str], tasks: Sequence[str]) -> list[str]:
    """The metrics that an experiment's run may end with, by what its tasks are."""
    names = ["accuracy", "macro_f1", "weighted_f1", "ece", "f1", "precision", "recall"]
    names += ["ndcg_at_10", "mrr", "map", "rmse", "kappa", "mrr_at_10", "recall_at_10", "recall_at_100"]
    scores = [f"{task}/{name}" for task in tasks for name in names]
    found = ["dev/score"]
    if "pretrain" in phases:
        found += ["pretrain/dev/loss", "pretrain/dev/perplexity"]
    return [*found, "test/score", *scores] if "finetune" in phases else found
