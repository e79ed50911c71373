from pathlib import Path

import pytest

from shopguide.errors import DataError
from tests.records.public.reading import published, read

HEAD = "id,product_uid,product_title,search_term,relevance\n"


def test_made_up_rows(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(
        HEAD + "2,11,Angle,angle bracket,3\n3,11,Angle,l bracket,2.33\n9,12,Deck,deck,1\n"
    )
    shop = read("homedepot", tmp_path, tmp_path / "cache")
    assert [(p["item_id"], p["title"], p["description"]) for p in shop.products] == [
        ("11", "Angle", None),
        ("12", "Deck", None),
    ]
    judged = [(j["query"], j["item_id"], j["label"]) for j in shop.judgements]
    assert judged == [("angle bracket", "11", "3"), ("l bracket", "11", "2.33"), ("deck", "12", "1")]


def test_descriptions_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(HEAD + "2,11,Angle,angle bracket,3\n")
    (tmp_path / "product_descriptions.csv").write_text("product_uid,product_description\n11,Steel\n")
    assert read("homedepot", tmp_path, tmp_path / "cache").products[0]["description"] == "Steel"
    (tmp_path / "product_descriptions.csv").write_text("product_uid,product_description\n11,Steel,more\n")
    with pytest.raises(DataError, match=r"product_descriptions.csv:2"):
        read("homedepot", tmp_path, tmp_path / "cache")


@pytest.mark.public
def test_the_published_file(tmp_path: Path) -> None:
    shop = read("homedepot", published("homedepot"), tmp_path)
    assert len(shop.judgements) == 58_737
    assert len(set(shop.judgements["query"])) > 9_000
