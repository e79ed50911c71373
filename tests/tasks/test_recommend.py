from pathlib import Path

import numpy as np

from shopguide.records.tables import Shop
from shopguide.tasks.next_item import item_knn, popularity
from shopguide.tasks.recommend import Recommend
from shopguide.tasks.task import Catalogue, Examples
from tests.records.shops import PRODUCTS, load, write_shop
from tests.tasks.test_search import parts

ITEMS = [{"item_id": f"I{n}", "title": f"thing {n}"} for n in range(1, 7)]


def shop_of(folder: Path, *behaviours: dict[str, object], products: list[dict[str, object]] = ITEMS) -> Shop:
    return load(write_shop(folder / "shop", products, behaviours))


def test_what_is_bought_comes_after_what_was_viewed_and_bought_before(tmp_path: Path) -> None:
    shop = shop_of(
        tmp_path,
        {"user_id": "U", "viewed_items": ["I1", "I2", "I3"], "purchased_items": ["I2"], "timestamp": 10},
        {"user_id": "U", "query": "more", "viewed_items": ["I4"], "purchased_items": ["I5", "I6"], "timestamp": 20},
    )
    found = Recommend(name="recommend").examples(shop, parts(shop), None)
    assert found.first == ["thing 3, thing 1", "more | thing 4 | thing 2"]
    assert found.history == [["I3", "I1"], ["I4", "I2"]], "what was bought is not read of what was viewed"
    assert found.wanted == [{"I2": 1.0}, {"I5": 1.0, "I6": 1.0}]
    assert found.groups == ["U", "U"]
    assert found.catalogue == Catalogue([f"I{n}" for n in range(1, 7)], [f"thing {n}" for n in range(1, 7)])
    assert found.of("train").take(np.array([1])).history == [["I4", "I2"]]


def test_without_a_purchase_the_last_one_viewed_comes_next(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, {"viewed_items": ["I1", "I3", "I2"]}, {"viewed_items": ["I4"]}, {"query": "only asked"})
    found = Recommend(name="recommend").examples(shop, parts(shop), None)
    assert (found.first, found.wanted) == (["thing 3, thing 1"], [{"I2": 1.0}]), "of one product nothing comes next"


def test_steps_of_training_rows_are_learnt_too(tmp_path: Path) -> None:
    rows = [{"viewed_items": ["I1", "I2", "I1", "I3"], "purchased_items": ["I4"]}, {"viewed_items": ["I1", "I2", "I3"]}]
    shop = shop_of(tmp_path, *rows)
    found = Recommend(name="recommend", steps=3).examples(shop, parts(shop, behaviours=["train", "test"]), None)
    assert [(own, list(next_)) for own, next_ in zip(found.history or (), found.wanted or (), strict=True)] == [
        (["I3", "I1", "I2", "I1"], ["I4"]),
        (["I1", "I2", "I1"], ["I3"]),
        (["I2"], ["I1"]),
        (["I2", "I1"], ["I3"]),
    ], "of a product that comes again, its own earlier views are not read; of test rows, the last step alone"


def test_what_was_bought_before_comes_next_for_nobody(tmp_path: Path) -> None:
    shop = shop_of(
        tmp_path,
        {"user_id": "U", "viewed_items": ["I4"], "purchased_items": ["I1"], "timestamp": 10},
        {"user_id": "U", "viewed_items": ["I5", "I2"], "purchased_items": ["I1"], "timestamp": 20},
        {"user_id": "U", "viewed_items": ["I5", "I1"], "timestamp": 30},
        {"user_id": "U", "viewed_items": ["I6"], "purchased_items": ["I1", "I3"], "timestamp": 40},
    )
    found = Recommend(name="recommend").examples(shop, parts(shop), None)
    assert found.wanted == [{"I1": 1.0}, {"I2": 1.0}, {"I3": 1.0}], "bought again: the last one viewed comes next"
    assert not any(set(own) & set(known) for own, known in zip(found.wanted, found.history or (), strict=True))


def test_what_remembers_a_held_out_purchase_is_not_learnt(tmp_path: Path) -> None:
    rows = [
        {"user_id": user, "query": query, "viewed_items": ["I2"], "purchased_items": [item], "timestamp": when}
        for user, query, item, when in (
            ("U", "a", "I1", 10),
            ("U", "b", "I3", 20),
            ("V", "b", "I4", 30),
            ("U", "c", "I5", 5),
        )
    ]
    shop = shop_of(tmp_path, *rows)
    split = ["test", "train", "train", "train"]
    found = Recommend(name="recommend").examples(shop, parts(shop, behaviours=split), None)
    assert [list(own) for own in found.of("train").wanted or ()] == [["I4"], ["I5"]]
    assert [list(own) for own in found.of("test").wanted or ()] == [["I1"]]


def test_fields_are_those_of_history_and_catalogue(tmp_path: Path) -> None:
    rows = [{"viewed_items": ["I1", "I3"], "purchased_items": ["I2"]}]
    shop = shop_of(tmp_path, *rows, products=PRODUCTS)
    found = Recommend(name="recommend", fields=("title", "attributes")).examples(shop, parts(shop), None)
    assert found.first == ["Phone case, Trail boot | Peak, red"]
    assert found.catalogue is not None
    assert found.catalogue.texts[1] == "登山鞋 防水 | 云峰"


def baskets(*rows: tuple[list[str], list[str]]) -> Examples:
    count = len(rows)
    return Examples(
        first=["x"] * count,
        split=["train"] * count,
        groups=[str(row) for row in range(count)],
        history=[own for own, _ in rows],
        wanted=[dict.fromkeys(following, 1.0) for _, following in rows],
        catalogue=Catalogue(["a", "b", "c", "d"], ["a", "b", "c", "d"]),
    )


def test_popularity_counts_what_came_next() -> None:
    train = baskets((["a"], ["c"]), (["a"], ["c"]), (["b"], ["b"]))
    rows, scores = popularity(train, baskets((["a"], ["d"]), ([], ["d"])), 3)
    assert rows.tolist() == [[2, 1, -1]] * 2, "what nobody took is not found"
    assert scores[0].tolist() == [2, 1, 0]


def test_item_knn_is_the_cosine_of_shoppers() -> None:
    train = baskets((["a"], ["b"]), (["a", "b"], ["c"]), (["a"], ["d"]), (["z"], ["d"]))
    rows, scores = item_knn(train, baskets((["a"], ["d"]), (["b", "b"], ["d"]), ([], ["d"])), 4)
    # Shoppers: a 3, b 2, c 1, d 2; with a: b 2, c 1, d 1.
    assert rows[0].tolist() == [1, 2, 3, -1]
    np.testing.assert_allclose(scores[0, :3], [2 / 6**0.5, 1 / 3**0.5, 1 / 6**0.5])
    assert rows[1, :2].tolist() == [0, 2]
    np.testing.assert_allclose(scores[1, :2], [2 / 6**0.5, 1 / 2**0.5])
    assert rows[2].tolist() == [-1, -1, -1, -1], "nothing is known of a new shopper"
