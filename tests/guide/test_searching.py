from pathlib import Path

import numpy as np
import pytest

from shopguide.guide.blending import Blend
from shopguide.guide.lexicon import Lexicon
from shopguide.guide.searching import Candidates, Query, Searcher, _ranked
from shopguide.guide.shelf import Asked, Shelf
from tests.guide.shops import PRODUCTS, shop

TITLES = [str(row["title"]) for row in PRODUCTS]


class Second:
    """Reads: the longer the product's text, the better."""

    def expected(self, queries: list[str], products: list[str]) -> np.ndarray:
        assert len({*queries}) == 1  # each query's products alone: nothing hangs on who else asks
        assert len(queries) == len(products)
        return np.array([len(text) / 100 for text in products])


@pytest.fixture
def searcher(tmp_path: Path) -> Searcher:
    return Searcher(Shelf(shop(tmp_path)), Lexicon(TITLES), second=Second(), texts=TITLES)  # type: ignore[arg-type]


def rows(searcher: Searcher, query: str, **more: bool) -> list[int]:
    (found,) = searcher.search([Query(query, **more)])
    assert (np.diff(found.scores) < 0).all()
    return [int(row) for row in found.rows]


def test_what_the_words_find(searcher: Searcher) -> None:
    assert rows(searcher, "blue dress", rerank=False) == [1, 0]
    assert rows(searcher, "xmartfane", rerank=False) == []
    assert rows(searcher, "smartphoen", rerank=False) == [2]
    assert rows(searcher, "smartphoen", rerank=False, mend=False) == []
    assert searcher.search([]) == []


def test_what_is_read_again_has_a_say(searcher: Searcher) -> None:
    searcher.blend = Blend(np.array([1.0]), np.array([1.0, 1000.0]))
    assert rows(searcher, "red dress") == [3, 0, 1]
    assert rows(searcher, "red dress", rerank=False) == [0, 1, 3]


def test_who_else_asks_does_not_matter(searcher: Searcher) -> None:
    queries = [Query("red dress"), Query("xmartfane"), Query("手机")]
    together = [found.rows.tolist() for found in searcher.search(queries)]
    assert together == [rows(searcher, query.text) for query in queries]
    assert together[1] == []


def test_weights_are_learnt_from_what_was_chosen(searcher: Searcher) -> None:
    queries = [Query("red dress"), Query("手机"), Query("nothing")] * 30
    searcher.learn(queries, [{3: 1.0}, {3: 2.0}, {}] * 30)  # the longest one, always
    assert searcher.blend is not None
    assert searcher.blend.read is not None
    assert searcher.blend.read[1] > 0.5
    assert searcher.blend.read[0] < searcher.blend.first[0]


def test_without_choices_the_ranks_count(searcher: Searcher) -> None:
    searcher.learn([Query("red dress")], [{}])
    assert searcher.blend is None
    features = np.array([[0.9, 0.1], [0.5, 0.8], [0.0, 0.9]])
    assert _ranked(features) == pytest.approx([1 / 61 + 1 / 63, 1 / 62 + 1 / 62, 1 / 61])


def test_filters_hold_in_each_stage(searcher: Searcher) -> None:
    (found,) = searcher.search([Query("red dress", Asked({"colour": ["blue"]}))])
    assert found.rows.tolist() == [1]
    (candidates,) = searcher.candidates([Query("red dress", Asked({"colour": ["green"]}))])
    assert isinstance(candidates, Candidates)
    assert len(candidates.rows) == 0


class Near:
    """An encoder that finds every product as near as the query's number says."""

    catalogue: "Near"
    products = TITLES

    def __init__(self) -> None:
        self.catalogue = self

    def vectors(self, texts: list[str]) -> np.ndarray:
        return np.array([[float(text.split()[-1])] for text in texts])

    def nearest(self, vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        rows = np.arange(len(TITLES))[None]
        return rows, np.repeat(vectors, len(TITLES), 1)

    def cosines(self, vector: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.full(len(rows), vector[0])


def test_what_is_farther_than_nearly_all_that_others_found_fits_ill(tmp_path: Path) -> None:
    searcher = Searcher(Shelf(shop(tmp_path)), Lexicon(TITLES), Near())  # type: ignore[arg-type]
    far, near = Query("dress 0.4"), Query("dress 0.6")
    assert [found.fits for found in searcher.search([far, near])] == [None, None]  # as nothing is known
    queries = [Query(f"dress {0.5 + number / 1000}") for number in range(101)]
    searcher.learn([*queries, Query("dress 0.1")], [*({0: 1.0} for _ in queries), {}])
    assert searcher.blend is not None
    assert searcher.blend.least == pytest.approx(0.502)
    assert [found.fits for found in searcher.search([far, near])] == [False, True]
