from pathlib import Path

import numpy as np
import pytest

from shopguide.errors import ConfigError, DataError
from shopguide.records.partition import Partition, partition
from shopguide.records.schema import TABLES
from shopguide.records.splits import normalised
from shopguide.records.tables import Shop
from shopguide.tasks.features import Features, frequent_targets
from shopguide.tasks.intent import Intent
from shopguide.tasks.labels import encode_labels, label_spaces
from shopguide.tasks.need import Need
from shopguide.tasks.relevance import Relevance
from shopguide.tasks.task import Examples, category_prefix
from tests.records.shops import PRODUCTS, load, write_lines, write_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    behaviours = [
        {"query": "手机壳", "viewed_items": ["I1", "I3"], "purchased_items": ["I3"]},
        {"query": "boots", "viewed_items": ["I2"]},
        {"query": "two", "viewed_items": ["I1"], "purchased_items": ["I1", "I2", "I3"]},
        {"query": "nothing"},
    ]
    return load(write_shop(tmp_path / "shop", PRODUCTS, behaviours))


def all_train(shop: Shop) -> Partition:
    return Partition(*(np.full(len(getattr(shop, table)), "train") for table in TABLES))


def test_need_is_the_category_bought_after_the_query(shop: Shop) -> None:
    found = Need(name="need").examples(shop, all_train(shop), None)
    assert found.first == ["手机壳", "two"]
    assert found.labels == {"category": ["phones/cases", "shoes/boots"]}
    top = Need(name="need", depth=1).examples(shop, all_train(shop), None)
    assert top.labels == {"category": ["phones", "shoes"]}


def test_need_reads_what_was_done_before(tmp_path: Path) -> None:
    behaviours = [
        {"query": "late", "user_id": "U", "timestamp": 30, "viewed_items": ["I1", "I3"], "purchased_items": ["I1"]},
        {"query": "first", "user_id": "U", "timestamp": 10, "viewed_items": ["I2"], "purchased_items": ["I2", "I3"]},
        {"query": "other", "user_id": "V", "timestamp": 20, "purchased_items": ["I3"]},
        {"query": "nobody", "viewed_items": ["I3"], "purchased_items": ["I1"]},
    ]
    shop = load(write_shop(tmp_path / "shop", PRODUCTS, behaviours))
    task = Need(name="need", history=True)
    assert task.examples(shop, all_train(shop), None).first == [
        "late | Phone case, Trail boot | Phone case, 登山鞋 防水",
        "first | 登山鞋 防水",
        "other",
        "nobody | Phone case",
    ]
    record = {"query": "late", "viewed": ["Phone case", "Trail boot"], "purchased": None}
    assert task.inputs.render(record)[0] == "late | Phone case, Trail boot"


def test_intent_is_what_a_dialogue_says(tmp_path: Path) -> None:
    root = write_shop(tmp_path / "shop")
    write_lines(
        root / "dialogues.jsonl",
        [
            {"question": "Cancel my order!", "intent": "cancel_order"},
            {"question": "防水吗？", "answer": "防水。"},
            {"question": "cancel MY order", "answer": "Done.", "intent": "cancel_order"},
        ],
    )
    talkative = load(root)
    found = Intent(name="intent").examples(talkative, all_train(talkative), None)
    assert found.first == ["Cancel my order!", "cancel MY order"]
    assert found.labels == {"intent": ["cancel_order", "cancel_order"]}
    assert found.groups == [normalised(question) for question in found.first]


def test_a_shop_without_intents_is_told_what_the_task_needs(shop: Shop) -> None:
    with pytest.raises(DataError, match=r"found 0 .*needs dialogues \(question\) that have an intent"):
        Intent(name="intent").checked_examples(shop, all_train(shop), None)


def test_features_are_the_catalogues_own_labels(shop: Shop) -> None:
    task = Features(name="features", targets=("category", "colour"))
    found = task.examples(shop, all_train(shop), None)
    assert found.first == ["Trail boot", "登山鞋 防水", "Phone case | Fits all."]
    assert found.labels == {"category": ["shoes/boots", "shoes/boots", "phones/cases"], "colour": ["red", None, None]}


def test_features_without_any_target_are_no_examples(shop: Shop) -> None:
    found = Features(name="features", targets=("colour",)).examples(shop, all_train(shop), None)
    assert found.first == ["Trail boot"]


def test_frequent_targets_are_found(shop: Shop) -> None:
    assert frequent_targets(shop) == ("category", "brand")


def test_relevance_grades_what_the_shopper_did(shop: Shop) -> None:
    found = Relevance(name="relevance", fields=("title",), negatives=0).examples(shop, all_train(shop), None)
    assert list(zip(found.first, found.second or [], found.labels["grade"], strict=True)) == [
        ("手机壳", "Trail boot", "viewed"),
        ("手机壳", "Phone case", "bought"),
        ("boots", "登山鞋 防水", "viewed"),
        ("two", "Trail boot", "bought"),
        ("two", "登山鞋 防水", "bought"),
        ("two", "Phone case", "bought"),
    ]


def test_relevance_draws_the_same_unseen_products_each_time(shop: Shop) -> None:
    task = Relevance(name="relevance", negatives=3)
    first, second = (task.examples(shop, all_train(shop), None) for _ in range(2))
    assert first == second
    pairs = zip(first.first, first.second or (), first.labels["grade"], strict=True)
    unseen = {(query, text) for query, text, grade in pairs if grade == "irrelevant"}
    assert unseen
    assert not {(query, text) for query, text in unseen if query == "手机壳" and not text.startswith("登山鞋")}
    assert not {text for query, text in unseen if query == "boots" and text.startswith("登山鞋")}


def test_wrong_products_of_a_training_query_share_its_words_and_are_worth_nothing(tmp_path: Path) -> None:
    products = [
        {"item_id": f"I{i}", "title": title} for i, title in enumerate(["red lamp", "red boot", "blue lamp", "x"])
    ]
    folder = write_shop(tmp_path / "shop", products, [])
    judged = [("red lamp", "I0", "E"), ("red lamp", "I1", "I"), ("x", "I3", "S"), ("lamp", "I0", "E")]
    write_lines(
        folder / "judgements.jsonl", [{"query": q, "item_id": item, "label": label} for q, item, label in judged]
    )
    shop = load(folder)
    parts = all_train(shop)
    parts.judgements[3] = "test"
    found = Relevance(name="relevance", fields=("title",), hard=3).examples(shop, parts, None)
    told = list(
        zip(found.first, found.second or [], found.labels["grade"], found.split, found.lists or [], strict=True)
    )
    # of `x` there is no other product with its word, and what is held out stays as it was judged
    assert told[4:] == [("red lamp", "blue lamp", "I", "train", "red lamp")]
    assert found.labels["grade"][:4] == ["E", "I", "S", "E"]


def test_grades_in_no_order_have_no_least_one(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    write_lines(folder / "judgements.jsonl", [{"query": "q", "item_id": "I1", "label": label} for label in ("a", "b")])
    shop = load(folder)
    with pytest.raises(ConfigError, match=r"tasks\.relevance\.hard: expected grades in an order"):
        Relevance(name="relevance", hard=1).examples(shop, all_train(shop), None)


def hard_pairs(folder: Path, behaviours: list[dict[str, object]], *split: str) -> list[tuple[str, str, str]]:
    titles = ["red lamp", "red boot", "red lamp", "red lamp oil", "tea"]
    products = [{"item_id": f"I{i}", "title": title} for i, title in enumerate(titles)]
    shop = load(write_shop(folder / "shop", products, behaviours))
    parts = all_train(shop)
    parts.behaviours[:] = split
    found = Relevance(name="relevance", fields=("title",), negatives=0, hard=9).examples(shop, parts, None)
    rows = list(zip(found.first, found.second or [], found.labels["grade"], strict=True))
    return rows[sum(len(b["purchased_items"]) for b in behaviours) :]  # type: ignore[arg-type, misc]


def test_wrong_products_are_no_twins_of_graded_ones_however_the_query_is_written(tmp_path: Path) -> None:
    behaviours = [
        {"query": query, "purchased_items": [item]} for query, item in (("red lamp", "I0"), ("Red  Lamp", "I3"))
    ]
    assert hard_pairs(tmp_path, behaviours, "train", "train") == [("red lamp", "red boot", "irrelevant")]


def test_what_is_held_out_is_not_known_to_be_right(tmp_path: Path) -> None:
    behaviours = [{"query": "red lamp", "purchased_items": [item]} for item in ("I0", "I3")]
    found = hard_pairs(tmp_path, behaviours, "train", "test")
    assert sorted(found) == [("red lamp", "red boot", "irrelevant"), ("red lamp", "red lamp oil", "irrelevant")]


@pytest.mark.parametrize("labels", [("E", "S"), ("1", "1")])
def test_where_no_grade_is_worth_nothing_no_product_is_wrong(labels: tuple[str, str], tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    rows = [{"query": "q", "item_id": f"I{i + 1}", "label": label} for i, label in enumerate(labels)]
    write_lines(folder / "judgements.jsonl", rows)
    shop = load(folder)
    with pytest.raises(ConfigError, match=r"hard: expected a grade that is worth nothing beside others, found"):
        Relevance(name="relevance", hard=1).examples(shop, all_train(shop), None)


def test_judgements_come_before_behaviours(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    write_lines(folder / "judgements.jsonl", [{"query": "q", "item_id": "I1", "label": label} for label in ("E", 2.0)])
    shop = load(folder)
    found = Relevance(name="relevance").examples(shop, all_train(shop), None)
    assert found.labels == {"grade": ["E", "2"]}


def test_rows_set_aside_are_in_no_split(shop: Shop) -> None:
    parts = all_train(shop)
    parts.behaviours[0] = "aside"
    assert Need(name="need").examples(shop, parts, None).first == ["two"]
    assert "手机壳" not in Relevance(name="relevance").examples(shop, parts, None).first


def test_too_few_labels_are_told(shop: Shop) -> None:
    with pytest.raises(
        DataError, match=r"task `need`: expected at least 8 labelled training examples, found 2 .* purchased_items"
    ):
        Need(name="need").checked_examples(shop, all_train(shop), None)


def test_a_target_of_one_class_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    rows = [{"item_id": f"I{i}", "title": f"shoe {i}", "category": "shoes"} for i in range(60)]
    one = load(write_shop(tmp_path / "shop", rows, []))
    task = Features(name="features", targets=("category",))
    with pytest.raises(DataError, match=r"target `category`: expected at least two classes .* found \['shoes'\]"):
        task.checked_examples(one, partition(one, "group", (0.8, 0.1, 0.1), 0), None)


def test_label_spaces_are_those_of_training() -> None:
    train = Examples(first=["1", "2", "3"], labels={"a": ["y", "x", None]}, split=["train"] * 3)
    spaces = label_spaces(train)
    assert spaces == {"a": ["x", "y"]}
    other = Examples(first=["1", "2", "3"], labels={"a": ["z", None, "x"]}, split=["test"] * 3)
    assert encode_labels(other, spaces).tolist() == [[2], [-100], [0]]
    with pytest.raises(DataError, match=r"target `a`: expected at least two classes .* found \['x'\]"):
        label_spaces(Examples(first=["1"], labels={"a": ["x"]}, split=["train"]))


def test_category_prefix() -> None:
    assert [category_prefix("a/b/c", depth) for depth in (1, 2, 9, None)] == ["a", "a/b", "a/b/c", "a/b/c"]


def test_splits_of_the_partition_reach_the_examples(tmp_path: Path) -> None:
    products = [{"item_id": str(i), "title": f"t{i}", "category": "ab"[i % 2]} for i in range(100)]
    shop = load(write_shop(tmp_path / "shop", products, []))
    parts = partition(shop, "group", (0.5, 0.25, 0.25), seed=0)
    found = Features(name="features", targets=("category",)).examples(shop, parts, None)
    assert found.split == parts.products.tolist()
    assert len(found.of("train")) + len(found.of("dev")) + len(found.of("test")) == len(found.of("all")) == 100
