"""Phase `finetune`: from a backbone and labelled examples to a task model, scored beside its baselines."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from shopguide.config import BatchConfig, FinetuneConfig, ModelConfig, OptimizerConfig
from shopguide.errors import ConfigError
from shopguide.experiment.fit import Fitted, Place, Plan, fit
from shopguide.experiment.fitting import ranks
from shopguide.experiment.heads.head import Head, Start, head_of
from shopguide.inference.answers import BATCH_TOKENS
from shopguide.inference.card import Card
from shopguide.inference.evaluation import Scores
from shopguide.models.backbone import freeze_layers
from shopguide.models.unpadded import runs_unpadded
from shopguide.objectives.objective import Objective
from shopguide.tasks.coded import numbered
from shopguide.tasks.task import Examples, Task
from shopguide.text.batches import Batches, BatchLoader, loading_workers
from shopguide.text.plan import BatchPlan

PROBED = 50_000
"""Training examples, at the most, that a new layer starts from."""


@dataclass
class Finetuned:
    """A task model, and what it and its baselines reach on the reported split."""

    head: Head
    predictor: Any
    """A `Predictor`, `Tagger` or another of `inference.load`."""
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
    (result,) = finetune_together([(task, examples)], config, optimizer, model, tokenizer, place)
    return result


def finetune_together(
    labelled: Sequence[tuple[Task, Examples]],
    config: FinetuneConfig,
    optimizer: OptimizerConfig,
    model: ModelConfig,
    tokenizer: Any,
    place: Place,
) -> list[Finetuned]:
    """As `finetune`, for tasks that share one network: one result a task, in their order.

    Each batch is of one task, and its loss as it is alone (as in MT-DNN, Liu et al. 2019). An epoch has as many batches
    as the tasks have together, of which a task gets a share as the root of its number of examples. The kept epoch is
    the best one by the mean over all targets.

    Args:
        labelled: tasks of one kind, each with its examples.
        config: as in `finetune`, for all.
        optimizer: as in `finetune`.
        model: as in `finetune`.
        tokenizer: as in `finetune`.
        place: as in `finetune`.

    Raises:
        ConfigError: as `finetune`.
        DataError: as `finetune`.
    """
    kind = labelled[0][0].kind
    head = head_of("prompt" if config.prompt and kind == "classification" else kind)
    trains = [drawn(examples.of("train"), config.max_examples, place.seed) for _, examples in labelled]
    devs = [examples.of("dev") for _, examples in labelled]
    cards = _cards(head, [task for task, _ in labelled], trains, config)
    torch.manual_seed(place.seed)
    network = head.network(model, tokenizer, cards)
    if config.probe and not place.goes_on:
        for card, train in zip(cards, trains, strict=True):
            head.probe(head.predictor(network, tokenizer, card, place.device), drawn(train, PROBED, place.seed))
    freeze_layers(network, model.freeze_layers)
    learnt = _encoded(head, tokenizer, trains, cards)
    watched = _encoded(head, tokenizer, devs, cards) if any(map(len, devs)) else ()
    module = head.objective(Start(network, tokenizer, optimizer, config, place.seed), cards, learnt)
    plan = Plan(
        "finetune " + "+".join(card.task for card in cards),
        config.epochs,
        monitored(config, labelled[0][0], len(labelled) == 1 and ranks(*labelled[0])),
        config.patience,
        config.ema,
    )
    loaders = [
        None if not len(part) else _loader(part, config.batch, tokenizer, module, place, shuffle=part is learnt)
        for part in (learnt, watched)
    ]
    assert loaders[0] is not None
    fitted = fit(module, loaders[0], loaders[1], plan, place)
    results = []
    for card, train, dev, (_, examples) in zip(cards, trains, devs, labelled, strict=True):
        predictor = head.predictor(network, tokenizer, card, place.device)
        own = _own_dev(head, predictor, dev) if len(cards) > 1 and len(dev) else fitted.dev
        if config.lexical:
            own = own | head.fuse(predictor, train, dev)
        else:
            head.calibrate(predictor, dev)
        judged = _judged(head, predictor, replace(fitted, dev=own), examples, train if config.baselines else None)
        results.append(judged)
    return results


def _cards(head: Head, tasks: Sequence[Task], trains: Sequence[Examples], config: FinetuneConfig) -> list[Card]:
    """Each task's outputs stand after those of the task before it."""
    cards: list[Card] = []
    offset = 0
    for task, train in zip(tasks, trains, strict=True):
        card = head.card(task, train, config)
        cards.append(replace(card, offset=offset))
        offset += len(head.outputs(card))
    return cards


def _encoded(head: Head, tokenizer: Any, parts: Sequence[Examples], cards: Sequence[Card]) -> Any:
    return head.joined([head.encoded(tokenizer, part, card) for part, card in zip(parts, cards, strict=True)])


def _own_dev(head: Head, predictor: Any, dev: Examples) -> dict[str, float]:
    """A task's own dev metrics, where the phase's are means over tasks."""
    found = head.score(predictor.card, dev, head.answered(predictor, dev, BATCH_TOKENS))
    return {f"dev/{name}": value for name, value in found.metrics.items() if name in head.shown}


def _judged(head: Head, predictor: Any, fitted: Fitted, examples: Examples, train: Examples | None) -> Finetuned:
    """Scored on the test split (dev, where there is none), beside the baselines where `train` is given."""
    split = "test" if "test" in examples.split else "dev"
    held_out = examples.of(split)
    answers = head.answered(predictor, held_out, BATCH_TOKENS)
    result = Finetuned(head, predictor, fitted, split, held_out, answers)
    result.scores["model"] = head.score(predictor.card, held_out, answers)
    if train is not None:
        result.scores |= head.baselines(predictor, train, held_out, answers)
    return result


def monitored(config: FinetuneConfig, task: Task, ranks: bool) -> str | None:
    """The dev metric by which the epoch is chosen; None: the last epoch is kept.

    Args:
        config: that may name it.
        task: whose kind has metrics of its own.
        ranks: whether its classes are grades, by which a network of its own ranks.

    Raises:
        ConfigError: a task of this kind is not measured by it.
    """
    head = head_of(task.kind)
    known = ["dev/ndcg_at_10"] * ranks + [f"dev/{name}" for name in head.shown] + ["dev/loss"]
    if config.monitor == "auto":
        return known[0]
    if config.monitor is not None and config.monitor not in known:
        raise ConfigError(
            f"finetune.monitor={config.monitor}: task `{task.name}` is measured by {', '.join(known)}; "
            "auto takes the first that fits each task"
        )
    return config.monitor


def drawn(examples: Examples, count: int | None, seed: int) -> Examples:
    """At most `count` of the examples, drawn by the seed, in their order; those of a list together, while they fit (of
    the first list that is drawn, where it does not fit, a part).
    """
    if count is None or len(examples) <= count:
        return examples
    draw = np.random.default_rng(seed)
    if examples.lists is None:
        return examples.take(np.sort(draw.permutation(len(examples))[:count]))
    names, number = numbered(examples.lists)
    order = draw.permutation(len(names))
    kept = order[np.bincount(number)[order].cumsum() <= count]
    if not len(kept):
        rows = np.flatnonzero(number == order[0])
        return examples.take(np.sort(draw.permutation(rows)[:count]))
    return examples.take(np.flatnonzero(np.isin(number, kept)))


def _loader(
    encoded: Any, batch: BatchConfig, tokenizer: Any, module: Objective, place: Place, shuffle: bool
) -> BatchLoader:
    unpadded, lists = runs_unpadded(module.model), encoded.lists if module.listed else None
    plan = BatchPlan(encoded.lengths, batch.size, batch.tokens, place.seed, shuffle, unpadded, encoded.groups, lists)
    workers = loading_workers(batch.num_workers, place.device)
    return BatchLoader(encoded, Batches(plan), encoded.collate(tokenizer.pad_token_id), workers)
