from pathlib import Path

import numpy as np
import pytest

from shopguide.guide.lexicon import Lexicon
from shopguide.guide.recommending import Recommender, Seen
from shopguide.guide.shelf import Asked, Shelf
from shopguide.records.tables import load_shop
from tests.guide.shops import BEHAVIOURS, PRODUCTS, shop

ANY = Asked({})


class Vectors:
    """Stands for an encoder."""

    def __init__(self, matrix: np.ndarray) -> None:
        self.catalogue = self
        self.matrix = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)

    def cosines(self, query: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        found: np.ndarray = (self.matrix if rows is None else self.matrix[rows]) @ query
        return found


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(shop(tmp_path))


def made(shelf: Shelf, tmp_path: Path, matrix: list[list[float]] | None = None) -> Recommender:
    records = load_shop("files", tmp_path / "files", cache_dir=tmp_path / "cache")
    vectors = None if matrix is None else Vectors(np.array(matrix))
    return Recommender(shelf, records, Lexicon(shelf.titles), None, vectors)  # type: ignore[arg-type]


def test_for_a_stranger_what_is_popular(shelf: Shelf, tmp_path: Path) -> None:
    found = made(shelf, tmp_path).recommend(Seen(), 3, ANY)
    assert [one.row for one in found] == [2, 1, 0]
    assert found[0].score == pytest.approx(1)
    assert all(one.because is None for one in found)


def test_what_is_known_is_not_recommended_again(shelf: Shelf, tmp_path: Path) -> None:
    found = made(shelf, tmp_path).recommend(Seen([1], [2]), 5, ANY)
    assert {one.row for one in found} == {0, 3, 4}
    assert found[0].row == 0
    assert found[0].because == 1


def test_like_the_history_and_unlike_each_other(shelf: Shelf, tmp_path: Path) -> None:
    recommender = made(shelf, tmp_path, [[1, 0], [1, 0.1], [1, 0.11], [0.9, 0.5], [0, 1]])
    alike = recommender.recommend(Seen([0]), 3, ANY)
    assert [one.row for one in alike] == [1, 2, 3]
    apart = recommender.recommend(Seen([0]), 3, ANY, diversity=0.6)
    assert apart[0].row == 1
    assert 4 in {one.row for one in apart}
    assert {one.because for one in alike} == {0}


def test_filters(shelf: Shelf, tmp_path: Path) -> None:
    found = made(shelf, tmp_path).recommend(Seen(), 5, Asked({"colour": ["blue"]}))
    assert [one.row for one in found] == [1, 4]
    assert made(shelf, tmp_path).recommend(Seen(), 5, Asked({"colour": ["green"]}), diversity=0.5) == []


def test_without_models_the_querys_words_count_and_nothing_is_made_up(shelf: Shelf, tmp_path: Path) -> None:
    found = made(shelf, tmp_path).recommend(Seen([2], query="running shoes"), 2, ANY)
    assert (found[0].row, found[0].because) == (4, None)


def test_what_is_bought_once_is_not_offered_to_those_who_have_it(tmp_path: Path) -> None:
    import json

    sessions = [
        {"user_id": f"U{number}", "query": "x", "purchased_items": [item], "timestamp": 1e9 + when}
        for number in range(8)
        for when, item in enumerate(("I3", "I5", "I5", "I5"))
    ]
    root = tmp_path / "files"
    root.mkdir()
    more = [*PRODUCTS, {"item_id": "I6", "title": "white smartphone", "category": "electronics/smartphone"}]
    more.append({"item_id": "I7", "title": "white shoes", "category": "shoes/running_shoes"})
    for name, rows in (("products", more), ("behaviours", sessions)):
        (root / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    records = load_shop("files", root, cache_dir=tmp_path / "cache")
    recommender = made(Shelf(records), tmp_path)
    offered = {one.row for one in recommender.recommend(Seen([], [2, 4]), 9, ANY)}
    assert 5 not in offered
    assert 6 in offered
    assert 5 in {one.row for one in recommender.recommend(Seen([2], []), 9, ANY)}
    assert len(BEHAVIOURS) == 3
