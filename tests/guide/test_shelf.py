import json
from pathlib import Path

import numpy as np
import pytest

from shopguide.errors import DataError
from shopguide.guide.shelf import Asked, Shelf
from shopguide.records.tables import load_shop
from tests.guide.shops import shop


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(shop(tmp_path))


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        (Asked({}), [0, 1, 2, 3, 4]),
        (Asked({"category": ["clothing"]}), [0, 1]),
        (Asked({"category": ["clothing/dress", "shoes/running_shoes"]}), [0, 1, 4]),
        (Asked({"category": ["cloth"]}), []),
        (Asked({"category": ["CLOTHING"], "colour": ["Red"]}), [0]),
        (Asked({"colour": ["red"], "category": ["electronics"]}), [3]),
        (Asked({"material": ["silk"]}), [1]),
        (Asked({}, price_from=60), [1, 2, 4]),
        (Asked({}, price_from=60, price_to=90), [1, 4]),
    ],
)
def test_what_is_asked_for(shelf: Shelf, asked: Asked, rows: list[int]) -> None:
    mask = shelf.allowed(asked)
    assert (list(range(5)) if mask is None else np.flatnonzero(mask).tolist()) == rows


def test_an_unknown_facet_is_told(shelf: Shelf) -> None:
    with pytest.raises(DataError, match=r"filters\.color: expected a facet .*did you mean `colour`"):
        shelf.allowed(Asked({"color": ["red"]}))


def test_values_are_counted_among_the_found(shelf: Shelf) -> None:
    told = shelf.counted(np.array([0, 1, 3]), 1)
    assert told == {
        "category": [("clothing/dress", 2)],
        "colour": [("red", 2)],
        "material": [("cotton", 1)],
    }
    assert "material" not in shelf.counted(np.array([1, 2]), 5)


def test_of_several_values_each_counts(tmp_path: Path) -> None:
    more = [
        {"item_id": "A", "title": "a", "attributes": {"colour": ["red", "blue"]}},
        {"item_id": "B", "title": "b", "attributes": {"colour": "blue"}},
    ]
    (tmp_path / "products.jsonl").write_text("\n".join(json.dumps(row) for row in more))
    shelf = Shelf(load_shop("files", tmp_path, cache_dir=tmp_path / "cache"))
    for value, rows in (("red", [0]), ("blue", [0, 1])):
        mask = shelf.allowed(Asked({"colour": [value]}))
        assert mask is not None
        assert np.flatnonzero(mask).tolist() == rows
    assert shelf.counted(np.array([0, 1]), 5) == {"colour": [("blue", 2), ("red", 1)]}
    assert shelf.facets["colour"].codes.tolist() == [1, 0]


def test_a_product_as_it_is(shelf: Shelf) -> None:
    assert shelf.product(0)["attributes"] == {"colour": "red", "material": "cotton"}
