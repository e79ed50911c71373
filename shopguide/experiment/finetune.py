"""Phase `finetune`: from a backbone and labelled examples to a task model, scored beside its baselines."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import nn

from shopguide.build import build_loss
from shopguide.config import FinetuneConfig, ModelConfig, OptimizerConfig
from shopguide.experiment.fit import Fitted, Place, Plan, fit
from shopguide.inference.card import Card
from shopguide.inference.evaluation import Scores, ceiling, score
from shopguide.inference.predictor import Predictor
from shopguide.models.backbone import backbone_config, build_model, freeze_layers
from shopguide.models.unpadded import runs_unpadded
from shopguide.objectives.classification import Classification
from shopguide.tasks.baselines import majority, tfidf_logistic_regression
from shopguide.tasks.labels import encode_labels, label_counts, label_spaces
from shopguide.tasks.task import Examples, Task
from shopguide.text.batches import Batches, BatchLoader
from shopguide.text.examples import Collate, EncodedTexts
from shopguide.text.plan import BatchPlan


@dataclass
class Finetuned:
    """A task model, and what it and its baselines reach on the reported split."""

    predictor: Predictor
    fitted: Fitted
    split: str
    """`test`, or `dev` where there is no test split."""
    held_out: Examples
    posterior: dict[str, np.ndarray]
    """Target → (N, C) of the held-out examples."""
    scores: dict[str, Scores] = field(default_factory=dict)
    """`model`, `majority`, `tfidf_lr`, and `ceiling` where it is known."""


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
        DataError: a target has fewer than two classes.
    """
    train, dev = drawn(examples.of("train"), config.max_examples, place.seed), examples.of("dev")
    spaces = label_spaces(train)
    card = Card(task.name, task.inputs, spaces, config.max_length)
    network = _classifier(model, tokenizer, card, place.seed)
    freeze_layers(network, model.freeze_layers)
    labels = encode_labels(train, spaces)
    module = Classification(
        network, optimizer, label_counts(labels, spaces), build_loss(config.loss), config.label_smoothing, config.r_drop
    )
    loaders = [
        _loader(part, encode_labels(part, spaces), config, tokenizer, network, place.seed, shuffle=part is train)
        for part in (train, dev)
        if len(part)
    ]
    plan = Plan(f"finetune {task.name}", config.epochs, config.monitor, config.patience, config.ema)
    fitted = fit(module, loaders[0], loaders[1] if len(dev) else None, plan, place)
    predictor = Predictor(network, tokenizer, card)
    split = "test" if "test" in examples.split else "dev"
    held_out = examples.of(split)
    posterior = predictor.posterior(held_out.first, held_out.second)
    result = Finetuned(predictor, fitted, split, held_out, posterior)
    result.scores["model"] = score(held_out, spaces, posterior)
    if config.baselines:
        result.scores["majority"] = score(held_out, spaces, majority(labels, spaces, len(held_out)))
        answers = tfidf_logistic_regression(train, labels, spaces, held_out)
        result.scores["tfidf_lr"] = score(held_out, spaces, answers)
    best = ceiling(held_out, spaces)
    if best is not None:
        result.scores["ceiling"] = best
    return result


def drawn(examples: Examples, count: int | None, seed: int) -> Examples:
    """At most `count` of the examples, drawn by the seed, in their order."""
    if count is None or len(examples) <= count:
        return examples
    return examples.take(np.sort(np.random.default_rng(seed).permutation(len(examples))[:count]))


def _classifier(model: ModelConfig, tokenizer: Any, card: Card, seed: int) -> nn.Module:
    """A sequence classifier with one output a class of each target, named `target=class` where there are several."""
    import torch

    several = len(card.targets) > 1
    names = [f"{t}={c}" if several else c for t, classes in card.targets.items() for c in classes]
    torch.manual_seed(seed)
    return build_model(
        model.path,
        backbone_config(model),
        "classification",
        tokenizer,
        num_labels=len(names),
        id2label=dict(enumerate(names)),
        label2id={name: i for i, name in enumerate(names)},
    )


def _loader(
    examples: Examples,
    labels: np.ndarray,
    config: FinetuneConfig,
    tokenizer: Any,
    network: nn.Module,
    seed: int,
    shuffle: bool,
) -> BatchLoader:
    encoded = EncodedTexts(tokenizer, examples.first, examples.second, config.max_length, labels)
    batch = config.batch
    plan = BatchPlan(encoded.lengths, batch.size, batch.tokens, seed, shuffle, runs_unpadded(network))
    return BatchLoader(encoded, Batches(plan), Collate(tokenizer.pad_token_id), batch.num_workers)
