from pathlib import Path

import numpy as np
import pytest

from shopguide.errors import ConfigError, DataError
from shopguide.records.partition import Partition
from shopguide.records.schema import TABLES
from shopguide.records.tables import Shop
from shopguide.tasks.search import Search
from tests.records.shops import PRODUCTS, load, write_lines, write_shop


def parts(shop: Shop, **changes: list[str]) -> Partition:
    every = {table: np.full(len(getattr(shop, table)), "train", dtype=object) for table in TABLES}
    return Partition(**every | {table: np.array(split, dtype=object) for table, split in changes.items()})


def judged(folder: Path, *rows: tuple[str, str, object]) -> Shop:
    root = write_shop(folder / "shop")
    named = (dict(zip(("query", "item_id", "label"), row, strict=True)) for row in rows)
    write_lines(root / "judgements.jsonl", list(named))
    return load(root)


def test_what_a_behaviours_products_are_worth(tmp_path: Path) -> None:
    behaviours = [
        {"query": "手机壳", "viewed_items": ["I1", "I3"], "purchased_items": ["I3"]},
        {"query": "手机壳", "viewed_items": ["I2"]},
        {"query": "nothing"},
    ]
    shop = load(write_shop(tmp_path / "shop", PRODUCTS, behaviours))
    found = Search(name="search", fields=("title",)).examples(
        shop, parts(shop, behaviours=["train", "test", "dev"]), None
    )
    assert found.wanted == [{"I1": 1, "I3": 2}, {"I2": 1}]
    assert found.split == ["train", "test"]
    assert found.catalogue is not None
    assert (found.catalogue.ids, found.catalogue.texts[0]) == (["I1", "I2", "I3"], "Trail boot")
    assert found.of("test").catalogue is found.catalogue
    assert found.of("test").wanted == [{"I2": 1}]


def test_a_judged_query_is_one_example(tmp_path: Path) -> None:
    shop = judged(tmp_path, ("red", "I1", "E"), ("lamp", "I2", "I"), ("red", "I2", "S"))
    found = Search(name="search").examples(shop, parts(shop), None)
    assert found.first == ["red", "lamp"]
    assert found.wanted == [{"I1": 1.0, "I2": 0.1}, {"I2": 0.0}]
    apart = Search(name="search").examples(shop, parts(shop, judgements=["aside", "train", "aside"]), None)
    assert apart.first == ["lamp"]


def test_grades_in_no_order_are_told(tmp_path: Path) -> None:
    shop = judged(tmp_path, ("red", "I1", "good"), ("red", "I2", "bad"))
    with pytest.raises(ConfigError, match=r"tasks.search.gains: expected what each grade is worth \(bad, good\)"):
        Search(name="search").examples(shop, parts(shop), None)
    found = Search(name="search", gains={"good": 3, "bad": 0}).examples(shop, parts(shop), None)
    assert found.wanted == [{"I1": 3, "I2": 0}]


def test_nothing_that_is_worth_anything(tmp_path: Path) -> None:
    shop = judged(tmp_path, *((f"q{i}", "I1", "I") for i in range(9)), ("x", "I2", "I"))
    with pytest.raises(DataError, match=r"task `search`: expected products that are worth something among 10"):
        Search(name="search").checked_examples(shop, parts(shop), None)


def test_a_lone_grade_of_one_says_that_it_fits(tmp_path: Path) -> None:
    shop = judged(tmp_path, ("tea time", "I1", 1), ("tea time", "I2", 1))
    assert Search(name="search").examples(shop, parts(shop), None).wanted == [{"I1": 1.0, "I2": 1.0}]


def test_a_catalogue_alone(tmp_path: Path) -> None:
    shop = load(write_shop(tmp_path / "shop", PRODUCTS, []))
    own = parts(shop, products=["train", "dev", "test"])
    found = Search(name="search", crops=("title", "description")).examples(shop, own, None)
    texts = [[product["title"], product["description"] or ""] for product in shop.products]
    assert found.wanted == [{f"I{row + 1}": 1.0} for row, fields in enumerate(texts) for text in fields if text]
    assert all(query in " | ".join(texts[0]) for query in found.of("train").first)
    assert found.of("test").wanted[0] == {"I3": 1.0}
    with pytest.raises(
        ConfigError, match=r"tasks.search.crops=titel: expected a field that products have; did you mean `title`"
    ):
        Search(name="search", crops=("title", "titel")).examples(shop, own, None)
    with pytest.raises(DataError, match=r"With tasks.search.crops=\[title\], products alone"):
        Search(name="search").checked_examples(shop, own, None)


def test_nobody_asks_in_crops_where_somebody_has_asked(tmp_path: Path) -> None:
    shop = judged(tmp_path, ("red", "I1", "E"), ("lamp", "I2", "I"))
    assert Search(name="search", crops=("title",)).examples(shop, parts(shop), None).first == ["red", "lamp"]
