"""Records → documents for pretraining: product cards, queries, sessions in the order of the shopper's actions.

Only training rows are read: no text of a held-out query, product or shopper reaches pretraining.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from shopguide.records.partition import Partition
from shopguide.records.tables import Shop, column, rows_of
from shopguide.text.inputs import join_fields

Document = list[str]
"""Segments of one document; the corpus sets the tokenizer's separator between them."""


def pretraining_documents(
    shop: Shop, parts: Partition, kinds: Sequence[str], fields: Sequence[str] = ("title", "description")
) -> Iterator[Document]:
    """The shop's own text, kind after kind.

    Args:
        shop: checked tables.
        parts: the split of each row; only `train` rows give documents.
        kinds: any of products, queries, sessions, dialogues, pairs, annotations.
        fields: what a product's card shows.
    """
    makers = {
        "products": lambda: product_cards(shop, parts, fields),
        "queries": lambda: queries(shop, parts),
        "sessions": lambda: sessions(shop, parts),
        "dialogues": lambda: dialogues(shop, parts),
        "pairs": lambda: pairs(shop, parts),
        "annotations": lambda: annotations(shop, parts),
    }
    for kind in kinds:
        yield from makers[kind]()


def product_cards(shop: Shop, parts: Partition, fields: Sequence[str]) -> Iterator[Document]:
    """One document a product: its fields, joined."""
    for row, product in enumerate(rows_of(shop.products)):
        if parts.products[row] == "train":
            yield [join_fields(product, tuple(fields))]


def queries(shop: Shop, parts: Partition) -> Iterator[Document]:
    """One document a behaviour: its query; and one a judged query."""
    for query in _of_train(shop.behaviours, parts.behaviours, "query"):
        yield [query]
    for query in dict.fromkeys(_of_train(shop.judgements, parts.judgements, "query")):
        yield [query]


def sessions(shop: Shop, parts: Partition) -> Iterator[Document]:
    """One document a behaviour: the query, then the titles viewed and bought, in that order."""
    held_out = parts.products != "train"
    pairs = zip(column(shop.products, "item_id"), column(shop.products, "title"), held_out, strict=True)
    titles = {item: title for item, title, held in pairs if not held}
    for row, behaviour in enumerate(rows_of(shop.behaviours)):
        if parts.behaviours[row] == "train":
            seen = [*behaviour["viewed_items"], *behaviour["purchased_items"]]
            asked = [behaviour["query"]] if behaviour["query"] else []
            yield [*asked, *(titles[item] for item in seen if item in titles)]


def dialogues(shop: Shop, parts: Partition) -> Iterator[Document]:
    """One document a dialogue: the question and, where it has one, its answer."""
    for row, dialogue in enumerate(rows_of(shop.dialogues)):
        if parts.dialogues[row] == "train":
            yield [text for text in (dialogue["question"], dialogue["answer"]) if text]


def pairs(shop: Shop, parts: Partition) -> Iterator[Document]:
    """One document a text of a pair, each once."""
    for text in dict.fromkeys(
        text for name in ("text", "text_pair") for text in _of_train(shop.pairs, parts.pairs, name)
    ):
        yield [text]


def annotations(shop: Shop, parts: Partition) -> Iterator[Document]:
    """One document an annotated text."""
    for text in _of_train(shop.annotations, parts.annotations, "text"):
        yield [text]


def _of_train(table: Any, split: np.ndarray, field: str) -> Iterator[str]:
    for value, own in zip(column(table, field), split, strict=True):
        if own == "train" and value:
            yield value
