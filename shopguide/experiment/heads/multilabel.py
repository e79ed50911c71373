"""Several labels a text, each given or not on its own."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from shopguide.config import LOSSES, THRESHOLD, FinetuneConfig
from shopguide.errors import ConfigError
from shopguide.experiment.heads.head import Head, Start
from shopguide.inference.card import Card
from shopguide.inference.evaluation import Scores
from shopguide.inference.labeller import Labeller
from shopguide.inference.span_evaluation import score_labels
from shopguide.metrics.spans import NAMES
from shopguide.models.pooled import answer_dropout, answer_layer, set_answers
from shopguide.objectives.multilabel import MultiLabel
from shopguide.runs import figures
from shopguide.tasks.lexical import label_regression
from shopguide.tasks.regression import probe
from shopguide.tasks.task import Examples, Task
from shopguide.text.examples import EncodedTexts

TARGET = "label"
PLAIN = f"{LOSSES}.cross_entropy.CrossEntropy"


class MultiLabelHead(Head):
    """One output a label."""

    network_head = "classification"
    answerer = Labeller
    shown = NAMES

    def card(self, task: Task, train: Examples, config: FinetuneConfig) -> Card:
        """The labels are those of the training examples."""
        labels = sorted({label for labels in train.values or () for label in labels})
        return Card(task.name, task.inputs, {TARGET: labels}, config.max_length, task.kind)

    def outputs(self, card: Card) -> list[str]:
        """The labels."""
        return card.targets[TARGET]

    def encoded(self, tokenizer: Any, examples: Examples, card: Card) -> EncodedTexts:
        """With 0 or 1 for each label."""
        said = [set(labels) for labels in examples.values or ()]
        matrix = np.array([[label in labels for label in card.targets[TARGET]] for labels in said], dtype=np.int64)
        matrix = matrix.reshape(len(examples), len(card.targets[TARGET]))
        return EncodedTexts(tokenizer, examples.first, examples.second, card.max_length, matrix)

    def objective(self, start: Start, cards: Sequence[Card], train: EncodedTexts) -> MultiLabel:
        """Binary cross-entropy.

        Raises:
            ConfigError: another loss is asked for.
        """
        if start.config.loss["target"] != PLAIN or start.config.r_drop:
            raise ConfigError(
                f"task `{cards[0].task}`: with several labels, expected loss=cross_entropy and finetune.r_drop=0, "
                f"found finetune.loss.target={start.config.loss['target']} and finetune.r_drop={start.config.r_drop:g}"
            )
        return MultiLabel(start.network, start.optimizer, start.config.label_smoothing)

    def probe(self, predictor: Labeller, train: Examples) -> None:
        """A regression a label; that of a label which all texts have, or none, stays as it is."""
        states = predictor.pooled(train.first, train.second)
        biased, dropout = answer_layer(predictor.model).bias is not None, answer_dropout(predictor.model)
        for place, label in enumerate(predictor.labels):
            given = np.array([label in labels for labels in train.values or ()], dtype=np.int64)
            if 0 < given.sum() < len(given):
                weights, biases = probe(states, given, 2, biased, dropout)
                set_answers(predictor.model, place, weights[1:] - weights[:1], biases[1:] - biases[:1])

    def answered(self, predictor: Labeller, examples: Examples, batch_tokens: int) -> list[list[str]]:
        """The labels of each text."""
        posterior = predictor.posterior(examples.first, examples.second, batch_tokens=batch_tokens)
        return [[predictor.labels[i] for i in np.flatnonzero(row >= THRESHOLD)] for row in posterior]

    def score(self, card: Card, examples: Examples, answers: Any) -> Scores:
        """F1 of labels."""
        return score_labels(examples, answers)

    def baselines(self, predictor: Labeller, train: Examples, held_out: Examples, answers: Any) -> dict[str, Scores]:
        """The labels that most training texts have, and logistic regression of each label on TF-IDF."""
        said = train.values or []
        usual = [label for label in predictor.labels if 2 * sum(label in labels for labels in said) > len(said)]
        return {
            "majority": score_labels(held_out, [usual] * len(held_out)),
            "tfidf_lr": score_labels(held_out, label_regression(train, held_out, predictor.labels)),
        }

    def figures(self, card: Card, examples: Examples, answers: Any, split: str) -> Iterator[tuple[str, Any]]:
        """F1 of each label."""
        scores = self.score(card, examples, answers)
        yield "f1_by_label", figures.score_bars(scores.metrics, scores.intervals, "f1", f"{card.task} ({split})")


HEAD = MultiLabelHead()
