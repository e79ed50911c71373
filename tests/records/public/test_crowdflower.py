from pathlib import Path

import pytest

from shopguide.errors import DataError
from tests.records.public.reading import published, read

HEAD = "id,query,product_title,product_description,median_relevance,relevance_variance\n"


def test_made_up_rows(tmp_path: Path) -> None:
    rows = '1,red lamp,Lamp,"Red, small",4,0\n2,lamp,Lamp,"Red, small",3,0.4\n5,lamp,Lamp,,2,0\n'
    (tmp_path / "train.csv").write_text(HEAD + rows)
    shop = read("crowdflower", tmp_path, tmp_path / "cache")
    assert [(p["item_id"], p["title"], p["description"]) for p in shop.products] == [
        ("C1", "Lamp", "Red, small"),
        ("C5", "Lamp", None),
    ]
    judged = [(j["query"], j["item_id"], j["label"]) for j in shop.judgements]
    assert judged == [("red lamp", "C1", "4"), ("lamp", "C1", "3"), ("lamp", "C5", "2")]


def test_a_row_without_a_query_is_told(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(HEAD + "1,,Lamp,Red,4,0\n")
    with pytest.raises(DataError, match=r"train.csv:2  query"):
        read("crowdflower", tmp_path, tmp_path / "cache")


@pytest.mark.public
def test_the_published_file(tmp_path: Path) -> None:
    shop = read("crowdflower", published("crowdflower"), tmp_path)
    assert len(shop.judgements) == 8_023
    assert len(set(shop.judgements["query"])) > 200
    assert len(shop.products) > 6_000
