"""Retrieval: the products of a catalogue that lie nearest to a query."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from shopguide.config import FinetuneConfig, ModelConfig
from shopguide.errors import ConfigError
from shopguide.experiment.heads.head import Head, Start
from shopguide.inference.card import Card
from shopguide.inference.encoder import Encoder
from shopguide.inference.evaluation import Scores
from shopguide.inference.load import load_model
from shopguide.inference.retrieval import DEPTH, NAMES, Found, fused, least_relevant, retrieval_scores, without
from shopguide.inference.second_stage import SecondStage
from shopguide.models.backbone import backbone_config, build_model
from shopguide.models.item_vectors import NAME, ItemVectors
from shopguide.objectives.matching import Matching, Teacher
from shopguide.objectives.mining import POOL, Mining
from shopguide.tasks.bm25 import bm25_search
from shopguide.tasks.next_item import item_knn, popularity
from shopguide.tasks.task import Examples, Task
from shopguide.text.pairs import QueryPairs


class RetrievalHead(Head):
    """A bi-encoder, which has no outputs of its own."""

    network_head = "encoder"
    answerer = Encoder
    shown = tuple(NAMES)

    def card(self, task: Task, train: Examples, config: FinetuneConfig) -> Card:
        """A query is asked."""
        return Card(task.name, replace(task.inputs, second=()), {}, config.max_length, task.kind)

    def outputs(self, card: Card) -> list[str]:
        """None."""
        return []

    def network(self, model: ModelConfig, tokenizer: Any, cards: Sequence[Card]) -> nn.Module:
        """The backbone alone."""
        return build_model(model.path, backbone_config(model), self.network_head, tokenizer)

    def encoded(self, tokenizer: Any, examples: Examples, card: Card) -> QueryPairs:
        """Each query with each of its relevant products."""
        assert examples.catalogue is not None
        wanted = examples.wanted or []
        place = {item: row for row, item in enumerate(examples.catalogue.ids)}
        least = least_relevant(wanted)
        positives = [[place[item] for item, gain in worth.items() if gain >= least] for worth in wanted]
        return QueryPairs(tokenizer, examples.first, examples.catalogue.texts, positives, card.max_length)

    def objective(self, start: Start, cards: Sequence[Card], train: QueryPairs) -> Matching:
        """In-batch negatives, and hard ones where they are asked for.

        Raises:
            ConfigError: more first dimensions are to serve alone than there are.
            ModelError: the teacher does not grade pairs.
        """
        own, mining = start.config.matching, None
        taught = None if own.teacher is None else _teacher(Path(own.teacher).expanduser(), train, cards[0])
        if own.hard:
            train.draw_hard(own.hard, start.seed)
            first, _ = bm25_search(train.product_texts, train.query_texts, POOL)
            mining = Mining(train, start.tokenizer.pad_token_id, first)
        width = int(start.network.config.hidden_size)  # type: ignore[union-attr, arg-type]
        if wrong := [number for number in own.dimensions if number > width]:
            raise ConfigError(
                f"finetune.matching.dimensions: expected at most {width}, the model's own, found {wrong[0]}"
            )
        if own.items:
            start.network.add_module(NAME, ItemVectors(len(train.product_texts), width, own.items))
        return Matching(start.network, start.optimizer, own.temperature, own.cached, mining, own.dimensions, taught)

    def answered(self, predictor: Encoder, examples: Examples, batch_tokens: int) -> Found:
        """The nearest products of the whole catalogue."""
        assert examples.catalogue is not None
        predictor.index(examples.catalogue, batch_tokens)
        return predictor.found(examples.first, DEPTH, batch_tokens, known_rows(examples))

    def score(self, card: Card, examples: Examples, answers: Found) -> Scores:
        """nDCG, MRR and recall."""
        return retrieval_scores(examples, answers)

    def baselines(self, predictor: Encoder, train: Examples, held_out: Examples, answers: Found) -> dict[str, Scores]:
        """BM25; of recommendation, popularity and item-kNN; and the fusion of the model with them."""
        assert held_out.catalogue is not None
        known = known_rows(held_out)
        deeper = DEPTH + max(map(len, known or ()), default=0)
        found = {"bm25": bm25_search(held_out.catalogue.texts, held_out.first, deeper)}
        if known is not None:
            found |= {rank.__name__: rank(train, held_out, deeper) for rank in (popularity, item_knn)}
            found = {name: without(rows, known, answers[0].shape[1]) for name, rows in found.items()}
            found["with_item_knn"] = fused(answers, found["bm25"], found["item_knn"])
        found["fused"] = fused(answers, found["bm25"])
        return {name: retrieval_scores(held_out, rows) for name, rows in found.items()}

    def figures(self, card: Card, examples: Examples, answers: Found, split: str) -> Iterator[tuple[str, Any]]:
        """None."""
        yield from ()


def _teacher(folder: Path, pairs: QueryPairs, card: Card) -> Teacher:
    graded = SecondStage(load_model(folder))
    graded.check_asked(card)

    def taught(queries: np.ndarray, items: np.ndarray) -> np.ndarray:
        first = [pairs.query_texts[row] for row in queries.tolist()]
        return graded.expected(first, [pairs.product_texts[row] for row in items.tolist()]).astype(np.float32)

    return taught


def known_rows(examples: Examples) -> list[set[int]] | None:
    """Of recommendation, the rows of the products that each shopper knows: they are not recommended again."""
    if examples.history is None or examples.catalogue is None:
        return None
    place = {item: row for row, item in enumerate(examples.catalogue.ids)}
    return [{place[item] for item in items if item in place} for items in examples.history]


HEAD = RetrievalHead()
