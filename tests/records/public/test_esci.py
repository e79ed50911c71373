from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shopguide.errors import DataError
from shopguide.records.partition import partition
from shopguide.records.tables import Shop
from tests.records.public.reading import attributes, read

Row = dict[str, Any]


def example(number: int, query: str, item: str, label: str, **more: Any) -> Row:
    plain = {
        "example_id": number,
        "query": query,
        "query_id": number,
        "product_id": item,
        "product_locale": "us",
        "esci_label": label,
        "small_version": 1,
        "large_version": 1,
        "split": "train",
    }
    return plain | more


def product(item: str, title: str | None, locale: str = "us", **more: str) -> Row:
    told = {name: more.get(name) for name in ("description", "bullet_point", "brand", "color")}
    return {"product_id": item, "product_title": title, "product_locale": locale} | {
        f"product_{name}": value for name, value in told.items()
    }


EXAMPLES = [
    example(0, "red boot", "B1", "E"),
    example(1, "red boot", "B2", "I"),
    example(2, "lamp", "B2", "S", split="test"),
    example(3, "desk", "B1", "C", small_version=0, split="test"),
    example(4, "bota", "B1", "E", product_locale="es"),
]
PRODUCTS = [
    product("B1", "Boot", bullet_point="warm\nred", description="A boot.", brand="Acme", color="red"),
    product("B2", None, bullet_point="A lamp of brass\nold"),
    product("B3", "Never judged"),
    product("B1", "Bota", "es"),
]


def written(folder: Path, examples: list[Row] = EXAMPLES, products: list[Row] = PRODUCTS) -> Path:
    for name, rows in (("examples", examples), ("products", products)):
        pq.write_table(pa.Table.from_pylist(rows), folder / f"shopping_queries_dataset_{name}.parquet")
    return folder


def judged(shop: Shop) -> list[tuple[str, str, str, str]]:
    return [(j["query"], j["item_id"], j["label"], j["split"]) for j in shop.judgements]


def test_the_small_version_of_a_locale(tmp_path: Path) -> None:
    shop = read("esci", written(tmp_path), tmp_path / "cache")
    assert judged(shop) == [
        ("red boot", "B1", "E", "train"),
        ("red boot", "B2", "I", "train"),
        ("lamp", "B2", "S", "test"),
    ]
    assert [(p["item_id"], p["title"]) for p in shop.products] == [("B1", "Boot"), ("B2", "A lamp of brass")]
    assert shop.products[0]["description"] == "warm\nred\nA boot."
    assert attributes(shop.products[0]) == {"brand": "Acme", "color": "red"}


def test_the_large_version_and_every_locale(tmp_path: Path) -> None:
    options = {"version": "large", "locale": "all"}
    shop = read("esci", written(tmp_path), tmp_path / "cache", options=options)
    assert [row[1] for row in judged(shop)] == ["us:B1", "us:B2", "us:B2", "us:B1", "es:B1"]
    assert [p["item_id"] for p in shop.products] == ["us:B1", "us:B2", "es:B1"]
    assert len(read("esci", tmp_path, tmp_path / "cache", options={"locale": "es"}).judgements) == 1


def test_no_query_is_judged_on_both_sides(tmp_path: Path) -> None:
    leaking = [*EXAMPLES, example(5, "LAMP ", "B1", "E")]
    shop = read("esci", written(tmp_path, leaking), tmp_path / "cache")
    rows = partition(shop, "group", (0.8, 0.1, 0.1), 0).judgements
    assert rows[2] == "test"
    assert rows[3] == "aside"
    assert set(rows[:2]) <= {"train", "dev"}


@pytest.mark.parametrize(
    ("label", "message"), [("X", r"esci_label  expected E or S or C or I, found 'X'"), (None, "found None")]
)
def test_a_grade_outside_the_scale(label: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read("esci", written(tmp_path, [*EXAMPLES, example(6, "a", "B1", label)]), tmp_path / "cache")


def test_a_product_of_which_nothing_is_said(tmp_path: Path) -> None:
    products = [PRODUCTS[0], product("B2", None)]
    with pytest.raises(DataError, match=r"title  expected a value \(the field is required\)"):
        read("esci", written(tmp_path, products=products), tmp_path / "cache")


def test_choices_that_are_none(tmp_path: Path) -> None:
    for name, value in (("version", "tiny"), ("locale", "fr")):
        with pytest.raises(DataError, match=rf"data.options.{name}={value}: expected one of "):
            read("esci", written(tmp_path), tmp_path / "cache", options={name: value})
