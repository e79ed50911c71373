"""One interface for classification, tagging and extraction; a new kind is one file beside this one."""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from shopguide.config import FinetuneConfig, ModelConfig, OptimizerConfig
from shopguide.inference.card import Card
from shopguide.inference.evaluation import Scores
from shopguide.inference.network import Network
from shopguide.models.backbone import Head as HeadName
from shopguide.models.backbone import backbone_config, build_model
from shopguide.objectives.objective import Objective
from shopguide.tasks.task import Examples, Task


@dataclass(frozen=True)
class Start:
    """What an objective begins with."""

    network: nn.Module
    tokenizer: Any
    optimizer: OptimizerConfig
    config: FinetuneConfig
    seed: int


class Head(ABC):
    """How a kind of task is learnt, answered and judged."""

    network_head: ClassVar[HeadName]
    answerer: ClassVar[type[Network]]
    """The task model, in torch."""
    shown: ClassVar[tuple[str, ...]]
    """Metrics of the closing table; first the one that a run is known by, and by whose dev value its epoch is chosen
    where nothing else is said."""

    @abstractmethod
    def card(self, task: Task, train: Examples, config: FinetuneConfig) -> Card:
        """What the model will answer."""

    @abstractmethod
    def outputs(self, card: Card) -> list[str]:
        """Names of the network's outputs for a task."""

    @abstractmethod
    def encoded(self, tokenizer: Any, examples: Examples, card: Card) -> Any:
        """A data set of `examples`, labels included, with `lengths`, `groups` (where tasks share it), `lists`,
        and `collate`."""

    def joined(self, parts: Sequence[Any]) -> Any:
        """One data set of those of the tasks that share a network: of a kind that cannot share, the one there is."""
        (whole,) = parts
        return whole

    @abstractmethod
    def objective(self, start: Start, cards: Sequence[Card], train: Any) -> Objective:
        """The loss over the encoded training examples of the tasks."""

    def predictor(self, network: nn.Module, tokenizer: Any, card: Card, device: str) -> Any:
        """The task model, on a device."""
        return self.answerer(network, tokenizer, card, device)

    @abstractmethod
    def answered(self, predictor: Any, examples: Examples, batch_tokens: int) -> Any:
        """What the model says of the examples, as `score` takes it."""

    @abstractmethod
    def score(self, card: Card, examples: Examples, answers: Any) -> Scores:
        """How right the answers are."""

    @abstractmethod
    def baselines(self, predictor: Any, train: Examples, held_out: Examples, answers: Any) -> dict[str, Scores]:
        """What simple methods reach, by name, beside the model's own `answers` on the held-out examples; `ceiling`: a
        perfect reader, where it is known.
        """

    def probe(self, predictor: Any, train: Examples) -> None:  # noqa: B027
        """Start the new layer from logistic regression on the frozen backbone. Without effect where none is learnt."""

    def fuse(self, predictor: Any, train: Examples, dev: Examples) -> dict[str, float]:
        """Give the model a lexical branch; its `dev/<metric>` with it. Without effect where there is no such branch."""
        return {}

    def calibrate(self, predictor: Any, dev: Examples) -> None:  # noqa: B027
        """Let the model be as sure as it is right on dev. Without effect where its answers are no classes."""

    @abstractmethod
    def figures(self, card: Card, examples: Examples, answers: Any, split: str) -> Iterator[tuple[str, Any]]:
        """Names and pictures of what the model says of the held-out examples."""

    def network(self, model: ModelConfig, tokenizer: Any, cards: Sequence[Card]) -> nn.Module:
        """The backbone with a new head for the tasks, whose outputs stand one task after the other."""
        several = len(cards) > 1
        names = [f"{card.task}/{name}" if several else name for card in cards for name in self.outputs(card)]
        return build_model(
            model.path,
            backbone_config(model),
            self.network_head,
            tokenizer,
            num_labels=len(names),
            id2label=dict(enumerate(names)),
            label2id={name: i for i, name in enumerate(names)},
        )


def head_of(kind: str) -> Head:
    """The head of a kind of task, or of a model's card."""
    module = importlib.import_module(f"shopguide.experiment.heads.{kind}")
    head: Head = module.HEAD
    return head
