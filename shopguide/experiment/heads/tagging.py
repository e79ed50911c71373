"""Tagging: the labelled stretches of a text."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from shopguide.build import build_loss
from shopguide.config import FinetuneConfig
from shopguide.experiment.heads.head import Head, Start
from shopguide.inference.card import Card
from shopguide.inference.evaluation import Scores
from shopguide.inference.span_answers import SpanAnswerer
from shopguide.inference.span_evaluation import score_spans
from shopguide.inference.tagger import Tagger
from shopguide.metrics.spans import NAMES
from shopguide.objectives.tagging import Tagging
from shopguide.runs import figures
from shopguide.tasks.tag_baselines import lexicon_spans, word_regression_spans
from shopguide.tasks.task import Examples, Task
from shopguide.text.tagged import TaggedTexts
from shopguide.text.tags import Tags

TARGET = "label"


class TaggingHead(Head):
    """A tag a word, and the best sequence of tags that gives spans."""

    network_head = "tagging"
    answerer = Tagger
    shown = NAMES

    def card(self, task: Task, train: Examples, config: FinetuneConfig) -> Card:
        """The labels are those of the training examples."""
        labels = sorted({span.label for spans in train.spans or () for span in spans or ()})
        return Card(task.name, task.inputs, {TARGET: labels}, config.max_length, task.kind)

    def outputs(self, card: Card) -> list[str]:
        """One a tag."""
        return _tags(card).names

    def encoded(self, tokenizer: Any, examples: Examples, card: Card) -> TaggedTexts:
        """With the words' tags; examples of which it is not known where the span is are left out."""
        known = examples.take(np.array([i for i, spans in enumerate(examples.spans or ()) if spans is not None], int))
        spans = [spans or [] for spans in known.spans or ()]
        return TaggedTexts(tokenizer, known.first, known.second, card.max_length, _tags(card), spans)

    def objective(self, start: Start, cards: Sequence[Card], train: TaggedTexts) -> Tagging:
        """The configured loss, of each word."""
        tags = np.concatenate(train.columns["labels"])
        counts = np.bincount(tags[tags >= 0], minlength=len(_tags(cards[0]))).tolist()
        return Tagging(
            start.network,
            start.optimizer,
            [counts],
            build_loss(start.config.loss),
            start.config.label_smoothing,
            start.config.r_drop,
        )

    def answered(self, predictor: SpanAnswerer, examples: Examples, batch_tokens: int) -> Any:
        """The spans of each text."""
        found = predictor.spans(examples.first, examples.second, batch_tokens=batch_tokens)
        return [[one.span for one in spans] for spans in found]

    def score(self, card: Card, examples: Examples, answers: Any) -> Scores:
        """F1 of spans."""
        return score_spans(examples, answers)

    def baselines(self, predictor: Tagger, train: Examples, held_out: Examples, answers: Any) -> dict[str, Scores]:
        """A lexicon of the training spans, and logistic regression on words and their neighbours."""
        labels = predictor.card.targets[TARGET]
        return {
            "lexicon": score_spans(held_out, lexicon_spans(train, held_out)),
            "word_lr": score_spans(held_out, word_regression_spans(train, held_out, labels)),
        }

    def figures(self, card: Card, examples: Examples, answers: Any, split: str) -> Iterator[tuple[str, Any]]:
        """F1 of each label."""
        scores = self.score(card, examples, answers)
        yield "f1_by_label", figures.score_bars(scores.metrics, scores.intervals, "f1", f"{card.task} ({split})")


def _tags(card: Card) -> Tags:
    return Tags(tuple(card.targets[TARGET]))


HEAD = TaggingHead()
