"""Extraction: the value of a named attribute in a text, or none."""

from collections.abc import Sequence
from typing import Any

from shopguide.experiment.heads.tagging import TaggingHead
from shopguide.inference.card import Card
from shopguide.inference.evaluation import Scores
from shopguide.inference.span_answers import SpanAnswerer, best_first
from shopguide.inference.span_evaluation import score_values
from shopguide.inference.tagger import Tagger
from shopguide.tasks.tag_baselines import lexicon_spans
from shopguide.tasks.task import Examples
from shopguide.text.tags import Span


class ExtractionHead(TaggingHead):
    """A tagger of one label, whose best span is the answer."""

    def answered(self, predictor: SpanAnswerer, examples: Examples, batch_tokens: int) -> Any:
        """The value of each pair of an attribute and a text."""
        found = predictor.spans(examples.first, examples.second, batch_tokens=batch_tokens)
        best = [[one.span for one in best_first(spans)] for spans in found]
        return _first_values(examples, best)

    def score(self, card: Card, examples: Examples, answers: Any) -> Scores:
        """F1 of attribute-value pairs."""
        return score_values(examples, answers)

    def baselines(self, predictor: Tagger, train: Examples, held_out: Examples, answers: Any) -> dict[str, Scores]:
        """The first value in the text that the attribute has in training."""
        return {"lexicon": score_values(held_out, _first_values(held_out, lexicon_spans(train, held_out)))}


def _first_values(examples: Examples, spans: Sequence[Sequence[Span]]) -> list[str | None]:
    """What stands at the first span of each text; None where there is none."""
    texts = examples.second or []
    return [text[some[0].start : some[0].end] if some else None for text, some in zip(texts, spans, strict=True)]


HEAD = ExtractionHead()
