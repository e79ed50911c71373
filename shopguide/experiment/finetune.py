"""Phase `finetune`: from a backbone and labelled examples to a task model, scored beside its baselines."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import nn

from shopguide.config import BatchConfig, FinetuneConfig, ModelConfig, OptimizerConfig
from shopguide.errors import ConfigError
from shopguide.experiment.fit import Fitted, Place, Plan, fit
from shopguide.experiment.heads.head import Head, head_of
from shopguide.inference.answers import BATCH_TOKENS
from shopguide.inference.evaluation import Scores
from shopguide.models.backbone import freeze_layers
from shopguide.models.unpadded import runs_unpadded
from shopguide.tasks.task import Examples, Task
from shopguide.text.batches import Batches, BatchLoader
from shopguide.text.examples import Collate
from shopguide.text.plan import BatchPlan


@dataclass
class Finetuned:
    """A task model, and what it and its baselines reach on the reported split."""

    head: Head
    predictor: Any
    """A `Predictor`, `Tagger` or `Extractor`."""
    fitted: Fitted
    split: str
    """`test`, or `dev` where there is no test split."""
    held_out: Examples
    answers: Any
    """What the model says of the held-out examples: posteriors by target, spans, or values."""
    scores: dict[str, Scores] = field(default_factory=dict)
    """`model`, and the baselines by name."""


def finetune(
    task: Task,
    examples: Examples,
    config: FinetuneConfig,
    optimizer: OptimizerConfig,
    model: ModelConfig,
    tokenizer: Any,
    place: Place,
) -> Finetuned:
    """Train on the train split, choose by the dev split, score on the test split.

    Args:
        task: says what a record's text is.
        examples: of all splits.
        config: length of texts, batches, what to choose by.
        optimizer: AdamW and its schedule.
        model: the backbone to start from.
        tokenizer: of the backbone.
        place: of training.

    Raises:
        ConfigError: the epoch is to be chosen by a metric that the task does not have.
        DataError: a target has fewer than two classes.
    """
    head = head_of(task.kind)
    train, dev = drawn(examples.of("train"), config.max_examples, place.seed), examples.of("dev")
    card = head.card(task, train, config.max_length)
    network = head.network(model, tokenizer, card, place.seed)
    freeze_layers(network, model.freeze_layers)
    encoded = [head.encoded(tokenizer, part, card) for part in (train, dev) if len(part)]
    module = head.objective(network, optimizer, config, card, encoded[0])
    loaders = [
        _loader(part, config.batch, tokenizer, network, place.seed, shuffle=part is encoded[0]) for part in encoded
    ]
    plan = Plan(f"finetune {task.name}", config.epochs, monitored(config, task), config.patience, config.ema)
    fitted = fit(module, loaders[0], loaders[1] if len(dev) else None, plan, place)
    predictor = head.predictor(network, tokenizer, card)
    if config.lexical:
        fitted = replace(fitted, dev={**fitted.dev, **head.fuse(predictor, train, dev)})
    split = "test" if "test" in examples.split else "dev"
    held_out = examples.of(split)
    answers = head.answered(predictor, held_out, BATCH_TOKENS)
    result = Finetuned(head, predictor, fitted, split, held_out, answers)
    result.scores["model"] = head.score(card, held_out, answers)
    if config.baselines:
        result.scores |= head.baselines(predictor, train, held_out)
    return result


def monitored(config: FinetuneConfig, task: Task) -> str | None:
    """The dev metric by which the epoch is chosen; None: the last epoch is kept.

    Raises:
        ConfigError: a task of this kind is not measured by it.
    """
    head = head_of(task.kind)
    known = ["dev/loss", *(f"dev/{name}" for name in head.shown)]
    if config.monitor == "auto":
        return known[1]
    if config.monitor is not None and config.monitor not in known:
        raise ConfigError(
            f"finetune.monitor={config.monitor}: task `{task.name}` is measured by {', '.join(known)}; "
            "auto takes the first that fits each task"
        )
    return config.monitor


def drawn(examples: Examples, count: int | None, seed: int) -> Examples:
    """At most `count` of the examples, drawn by the seed, in their order."""
    if count is None or len(examples) <= count:
        return examples
    return examples.take(np.sort(np.random.default_rng(seed).permutation(len(examples))[:count]))


def _loader(
    encoded: Any, batch: BatchConfig, tokenizer: Any, network: nn.Module, seed: int, shuffle: bool
) -> BatchLoader:
    plan = BatchPlan(encoded.lengths, batch.size, batch.tokens, seed, shuffle, runs_unpadded(network))
    return BatchLoader(encoded, Batches(plan), Collate(tokenizer.pad_token_id), batch.num_workers)
