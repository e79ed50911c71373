"""Classification: a posterior over the classes of each target."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from shopguide.build import build_loss
from shopguide.config import FinetuneConfig
from shopguide.experiment.heads.head import Head, Start
from shopguide.inference.answers import Classifier
from shopguide.inference.card import Card
from shopguide.inference.evaluation import Scores, ceiling, counted_scores, score
from shopguide.inference.grades import grade_scores, rank_scores
from shopguide.inference.predictor import Predictor
from shopguide.models.backbone import Head as HeadName
from shopguide.models.pooled import answer_dropout, answer_layer, set_answers
from shopguide.objectives.classification import Classification
from shopguide.runs import figures
from shopguide.tasks.baselines import majority
from shopguide.tasks.bm25 import bm25
from shopguide.tasks.class_tree import consistent, training_paths
from shopguide.tasks.coded import numbered
from shopguide.tasks.fusion import Fusion
from shopguide.tasks.labels import encode_labels, gains_of, label_counts, label_spaces
from shopguide.tasks.lexical import Lexical, Posteriors
from shopguide.tasks.regression import probe
from shopguide.tasks.task import Examples, Task
from shopguide.tasks.temperature import temperature
from shopguide.text.examples import EncodedTexts


class ClassificationHead(Head):
    """One linear head, of which each target owns a run of outputs."""

    network_head: ClassVar[HeadName] = "classification"
    answerer = Predictor
    shown = ("macro_f1", "accuracy", "weighted_f1", "ece")

    def card(self, task: Task, train: Examples, config: FinetuneConfig) -> Card:
        """The classes are those of the training examples."""
        spaces = label_spaces(train)
        paths = (training_paths(train, spaces) or None) if getattr(task, "tree", False) else None
        gains = gains_of(task, spaces)
        return Card(task.name, task.inputs, spaces, config.max_length, paths=paths, gains=gains, counted=task.counted)

    def outputs(self, card: Card) -> list[str]:
        """One a class of each target, named `target=class` where there are several."""
        several = len(card.targets) > 1
        return [f"{t}={c}" if several else c for t, classes in card.targets.items() for c in classes]

    def encoded(self, tokenizer: Any, examples: Examples, card: Card) -> EncodedTexts:
        """With class numbers."""
        labels = encode_labels(examples, card.targets)
        found = EncodedTexts(tokenizer, examples.first, examples.second, card.max_length, labels)
        if examples.lists is not None:
            _, found.lists = numbered(examples.lists)
        return found

    def joined(self, parts: Sequence[EncodedTexts]) -> EncodedTexts:
        """An example carries loss for the targets of its own task."""
        return EncodedTexts.joined(parts) if len(parts) > 1 else parts[0]

    def objective(self, start: Start, cards: Sequence[Card], train: EncodedTexts) -> Classification:
        """The configured loss, of each target alike."""
        assert train.labels is not None
        spaces = {f"{card.task}/{target}": classes for card in cards for target, classes in card.targets.items()}
        counts = label_counts(train.labels, spaces)
        return Classification(
            start.network,
            start.optimizer,
            counts,
            build_loss(start.config.loss),
            start.config.label_smoothing,
            start.config.r_drop,
            [card.gains for card in cards for _ in card.targets],
        )

    def answered(self, predictor: Classifier, examples: Examples, batch_tokens: int) -> Posteriors:
        """Posteriors."""
        return predictor.posterior(examples.first, examples.second, batch_tokens=batch_tokens)

    def score(self, card: Card, examples: Examples, answers: Posteriors) -> Scores:
        """Accuracy, F1, calibration; of grades, also how well their expected gain ranks, and how near it comes; of a
        class that is counted, its precision, recall and F1.
        """
        found, gains = score(examples, card.targets, answers), _gains(card, examples)
        if card.counted is not None:
            found = found.with_more(counted_scores(examples, card.targets, answers, card.counted))
        if gains is None:
            return found
        (posterior,) = answers.values()
        expected = posterior @ np.array(card.gains)
        return found.with_more(rank_scores(examples, expected, gains), grade_scores(examples, expected, gains))

    def probe(self, predictor: Predictor, train: Examples) -> None:
        """The targets' runs of the last layer are regressions on what it sees of the training texts."""
        states, spaces = predictor.pooled(train.first, train.second), predictor.card.targets
        model, start = predictor.model, predictor.card.offset
        biased, dropout = answer_layer(model).bias is not None, answer_dropout(model)
        for labels, classes in zip(encode_labels(train, spaces).T, spaces.values(), strict=True):
            set_answers(model, start, *probe(states, labels, len(classes), biased, dropout))
            start += len(classes)

    def fuse(self, predictor: Predictor, train: Examples, dev: Examples) -> dict[str, float]:
        """With logistic regression on TF-IDF; the dev metrics are cross-fitted."""
        spaces = predictor.card.targets
        own = predictor.network_posterior(dev.first, dev.second)
        predictor.fusion = Fusion.fit(Lexical.fit(train, encode_labels(train, spaces), spaces), own, dev, spaces)
        if not len(dev):
            return {}
        fused = predictor.fusion.cross_fitted(own, dev, spaces)
        paths = predictor.card.paths
        found = score(dev, spaces, fused if paths is None else consistent(fused, paths), intervals=False)
        return {f"dev/{name}": value for name, value in found.metrics.items() if name in self.shown}

    def calibrate(self, predictor: Predictor, dev: Examples) -> None:
        """By a temperature of each target."""
        card, own = predictor.card, predictor.network_posterior(dev.first, dev.second)
        columns = zip(card.targets, encode_labels(dev, card.targets).T, strict=True)
        found = {target: temperature(own[target], labels) for target, labels in columns}
        predictor.card = replace(card, temperatures=found)

    def baselines(
        self, predictor: Predictor, train: Examples, held_out: Examples, answers: Posteriors
    ) -> dict[str, Scores]:
        """The majority class, and logistic regression on TF-IDF; of a fused model, its network alone."""
        spaces, fusion = predictor.card.targets, predictor.fusion
        labels = encode_labels(train, spaces)
        lexical = Lexical.fit(train, labels, spaces) if fusion is None else fusion.lexical
        said = {
            "majority": majority(labels, spaces, len(held_out)),
            "tfidf_lr": lexical.posterior(held_out.first, held_out.second),
        }
        if fusion is not None:
            said["network"] = predictor.network_posterior(held_out.first, held_out.second)
        found = {name: self.score(predictor.card, held_out, posterior) for name, posterior in said.items()}
        if (gains := _gains(predictor.card, held_out)) is not None and held_out.second is not None:
            found["bm25"] = rank_scores(held_out, bm25(train.second or [], held_out.first, held_out.second), gains)
        best = ceiling(held_out, spaces)
        return found if best is None else {**found, "ceiling": best}

    def figures(self, card: Card, examples: Examples, answers: Posteriors, split: str) -> Iterator[tuple[str, Any]]:
        """Confusion and calibration of each target."""
        labels = encode_labels(examples, card.targets)
        for numbers, (target, classes) in zip(labels.T, card.targets.items(), strict=True):
            known = (numbers >= 0) & (numbers < len(classes))
            if not known.any():
                continue
            posterior, truth = answers[target][known], numbers[known]
            title = f"{card.task}: {target} ({split})"
            yield f"confusion_{target}", figures.confusion_matrix(truth, posterior.argmax(1), classes, title)
            yield f"calibration_{target}", figures.reliability_diagram(posterior, truth, title)


def _gains(card: Card, examples: Examples) -> np.ndarray | None:
    """(N,) what the examples' products gain, NaN where their grade is unknown; None where there are no grades."""
    if card.gains is None or examples.lists is None:
        return None
    ((target, classes),) = card.targets.items()
    gain_of = dict(zip(classes, card.gains, strict=True))
    return np.array([gain_of.get(label or "", np.nan) for label in examples.labels[target]])


HEAD = ClassificationHead()
