from pathlib import Path

import pytest

from tests.records.public.reading import attributes, published, read

HEAD = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName\n"


def test_made_up_styles(tmp_path: Path) -> None:
    root = tmp_path / "fashion"
    root.mkdir()
    row = '7,Men,Apparel,Topwear,Shirts/Polos,NA,Fall,2011,Casual,"Blue Shirt, slim"\n'
    (root / "styles.csv").write_text(HEAD + row, encoding="utf-8")
    (product,) = read("fashion", root, tmp_path).products
    assert (product["item_id"], product["title"]) == ("7", "Blue Shirt, slim")
    assert product["category"] == "Apparel/Topwear/Shirts-Polos"
    assert product["image"] == "images/7.jpg"
    own = {"articleType": "Shirts/Polos", "gender": "Men", "usage": "Casual", "season": "Fall", "year": "2011"}
    assert attributes(product) == own


@pytest.mark.public
def test_the_published_file(tmp_path: Path) -> None:
    shop = read("fashion", published("fashion"), tmp_path, on_bad_rows="quarantine")
    assert len(shop.products) + shop.report.quarantined == 39_971
    assert shop.report.quarantined < 50
    assert len({attributes(p).get("articleType") for p in shop.products}) == 143
