from collections import Counter
from pathlib import Path

import pytest

from tests.records.public.reading import attributes, published, read


def test_made_up_reviews(tmp_path: Path) -> None:
    root = tmp_path / "reviews"
    root.mkdir()
    text = 'cat,label,review\n书籍,1,"\ufeff好书, 推荐"\n酒店,0,\n'
    (root / "online_shopping_10_cats.csv").write_text(text, encoding="utf-8")
    first, second = read("online_shopping_10_cats", root, tmp_path).products
    assert (first["item_id"], first["title"], first["category"]) == ("R000001", "好书, 推荐", "书籍")
    assert attributes(first) == {"sentiment": "1"}
    assert second["title"] == "（无评论）"


@pytest.mark.public
def test_the_published_file(tmp_path: Path) -> None:
    shop = read("online_shopping_10_cats", published("online_shopping_10_cats"), tmp_path)
    assert len(shop.products) == 56_495
    assert len(set(shop.products["category"])) == 10
    assert set(Counter(attributes(p)["sentiment"] for p in shop.products)) == {"0", "1"}
