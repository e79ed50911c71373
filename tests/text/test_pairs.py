from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopguide.text.batches import Batches, BatchLoader
from shopguide.text.pairs import Fits, QueryPairs
from shopguide.text.plan import BatchPlan
from shopguide.text.tokenizer import train_tokenizer

QUERIES = ["red boot", "lamp", "nothing"]
PRODUCTS = [f"product {i}" for i in range(8)]
POSITIVES = [[3, 0], [5], []]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return train_tokenizer(iter([*QUERIES, *PRODUCTS]), 200, "bert")


@pytest.fixture
def pairs(tokenizer: Any) -> QueryPairs:
    return QueryPairs(tokenizer, QUERIES, PRODUCTS, POSITIVES, 16)


def test_each_query_with_each_of_its_products(pairs: QueryPairs, tokenizer: Any) -> None:
    assert pairs.pairs.tolist() == [[0, 3], [0, 0], [1, 5]]
    batch = pairs.collate(0)([pairs[(0, row)] for row in range(3)])
    said = [tokenizer.decode(ids, skip_special_tokens=True) for ids in batch["input_ids"]]
    assert said == ["red boot", "red boot", "lamp", "product 3", "product 0", "product 5"]
    assert batch["known"].int().tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    assert (pairs.lengths == np.array([sum(batch["lengths"][i::3]) for i in range(3)])).all()


def test_only_what_is_read_is_encoded(pairs: QueryPairs, tokenizer: Any) -> None:
    assert len(pairs.products) == 3
    whole = QueryPairs(tokenizer, QUERIES, PRODUCTS, POSITIVES, 16)
    whole.draw_hard(1, seed=0)
    assert len(whole.products) == len(PRODUCTS)
    assert whole[(0, 0)]["items"][0] == 3


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 8)), max_size=20),
    st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 8)), min_size=1, max_size=20),
)
def test_what_fits_is_what_was_told(told: list[tuple[int, int]], asked: list[tuple[int, int]]) -> None:
    queries, items = np.array(asked).T
    fits = Fits(np.array(told, dtype=np.int64).reshape(-1, 2), 9)
    assert fits(queries, items).tolist() == [pair in told for pair in asked]
    assert fits(queries[:, None], items).tolist() == [[(q, i) in told for i in items] for q in queries]


def test_hard_negatives_come_from_the_pool_of_the_query_and_never_fit(pairs: QueryPairs) -> None:
    pairs.draw_hard(2, seed=0)
    pairs.fill(np.array([[0, 7, 3, 6], [5, 1, 2, 4], [0, 1, 2, 3]]))
    assert pairs.pool is not None
    assert pairs.pool.tolist() == [[7, 6, -1, -1], [1, 2, 4, -1], [0, 1, 2, 3]]
    seen = set()
    for epoch in range(12):
        items = pairs[(epoch, 2)]["items"]
        assert items == pairs[(epoch, 2)]["items"]
        assert len(set(items)) == 3
        assert items[0] == 5
        seen |= set(items[1:])
        assert set(pairs[(epoch, 0)]["items"]) == {3, 6, 7}
    assert seen == {1, 2, 4}
    batch = pairs.collate(0)([pairs[(0, row)] for row in range(3)])
    assert batch["known"].shape == (3, 9)
    assert len(batch["lengths"]) == 12
    assert not batch["known"][:, 3:].any()


def test_without_a_pool_they_come_from_the_whole_catalogue(pairs: QueryPairs) -> None:
    pairs.draw_hard(3, seed=0)
    assert all(0 <= item < len(PRODUCTS) for epoch in range(9) for item in pairs[(epoch, 0)]["items"])
    pairs.fill(np.array([[7], [1], [0]]))
    assert pairs[(0, 0)]["items"][1] == 7
    assert len(pairs[(0, 0)]["items"]) == 4


def test_what_is_mined_later_reaches_the_processes_of_the_loader(pairs: QueryPairs) -> None:
    pairs.draw_hard(1, seed=0)
    pairs.fill(np.array([[2], [2], [2]]))
    loader = BatchLoader(pairs, Batches(BatchPlan(pairs.lengths, 3)), items_of, 1)
    before = [items for batch in loader for items in batch]
    pairs.fill(np.array([[6], [6], [6]]))
    after = [items for batch in loader for items in batch]
    assert ({items[1] for items in before}, {items[1] for items in after}) == ({2}, {6})


def items_of(examples: list[dict[str, Any]]) -> list[list[int]]:
    return [example["items"] for example in examples]


def test_another_seed_draws_others(pairs: QueryPairs) -> None:
    drawn = []
    for seed in (0, 1, 0):
        pairs.draw_hard(3, seed)
        drawn.append([pairs[(epoch, row)]["items"] for epoch in range(4) for row in range(3)])
    assert drawn[0] == drawn[2] != drawn[1]
