from pathlib import Path

import pytest

from shopguide.errors import DataError
from tests.records.public.reading import attributes, read

PRODUCTS = (
    "product_id\tproduct_name\tproduct_class\tcategory hierarchy\tproduct_description\tproduct_features\n"
    '0\tsolid bed\tBeds\tFurniture / Bedroom / Beds\t"one\ttab"\tcolour : oak|colour:pine| size : 8 : 10|none\n'
    "1\tlamp\t\t\t\t\n"
)
QUERIES = "query_id\tquery\tquery_class\n0\toak bed\tBeds\n"
LABELS = "id\tquery_id\tproduct_id\tlabel\n0\t0\t0\tExact\n1\t0\t1\tIrrelevant\n"


def written(folder: Path, labels: str = LABELS) -> Path:
    for name, text in (("product", PRODUCTS), ("query", QUERIES), ("label", labels)):
        (folder / f"{name}.csv").write_text(text)
    return folder


def test_products_and_judgements(tmp_path: Path) -> None:
    shop = read("wands", written(tmp_path), tmp_path / "cache")
    bed, lamp = shop.products
    assert (bed["item_id"], bed["title"], bed["category"]) == ("0", "solid bed", "Furniture/Bedroom/Beds")
    assert bed["description"] == "one\ttab"
    assert [(pair["name"], pair["value"]) for pair in bed["attributes"]] == [
        ("colour", "oak"),
        ("colour", "pine"),
        ("size", "8 : 10"),
    ]
    assert (lamp["category"], attributes(lamp)) == (None, {})
    assert [(j["query"], j["item_id"], j["label"]) for j in shop.judgements] == [
        ("oak bed", "0", "Exact"),
        ("oak bed", "1", "Irrelevant"),
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2\t0\t0\tGood\n", r"label.csv:4  label  expected Exact or Partial or Irrelevant, found 'Good'"),
        ("2\t7\t0\tExact\n", r"label.csv:4  query_id  expected a query of query.csv, found '7'"),
        ("2\t0\t9\tExact\n", r"item_id  expected the item_id of a product, found '9'"),
    ],
)
def test_a_row_that_is_none(row: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read("wands", written(tmp_path, LABELS + row), tmp_path / "cache")
