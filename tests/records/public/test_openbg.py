"""openbg_classify and openbg_title_attribute."""

import json
from pathlib import Path

import pytest

from tests.records.public.reading import attributes, published, read

CLASSIFY = {
    "sentences": "茶桶\t风格#:#日式#;#风格#:#简约#;#风格#:#日式#;#品牌#:#PAMPAS/潘帕斯",
    "labels": {"coarse": ["大百货"], "fine": ["茶道/零配"], "mix": ["大百货", "茶道/零配"]},
}
PAIR = {
    "sentences": "Title: 兰芝, 隔离霜, Attritute: 功效#:#遮瑕#;#功效#:#保湿#;#产地#:#韩国",
    "labels": {"en": ["not match"], "zh": ["不匹配"]},
}


def write(path: Path, row: object, count: int = 1) -> None:
    path.write_text((json.dumps(row, ensure_ascii=False) + "\n") * count, encoding="utf-8")


def test_a_made_up_product(tmp_path: Path) -> None:
    write(tmp_path / "dev.json", CLASSIFY)
    (row,) = read("openbg_classify", tmp_path, tmp_path / "cache").products
    assert (row["item_id"], row["title"], row["category"], row["split"]) == ("dev-1", "茶桶", "大百货/茶道-零配", None)
    assert [(pair["name"], pair["value"]) for pair in row["attributes"]] == [
        ("风格", "日式"),
        ("风格", "简约"),
        ("品牌", "PAMPAS/潘帕斯"),
    ]


def test_a_made_up_pair(tmp_path: Path) -> None:
    write(tmp_path / "train.json", PAIR)
    write(tmp_path / "dev.json", PAIR)
    shop = read("openbg_title_attribute", tmp_path, tmp_path / "cache")
    assert [(row["query"], row["item_id"], row["label"], row["split"]) for row in shop.judgements] == [
        ("兰芝, 隔离霜", "train-1", "not match", "train"),
        ("兰芝, 隔离霜", "dev-1", "not match", "dev"),
    ]
    assert shop.products[0]["title"] == "功效: 遮瑕, 保湿; 产地: 韩国"
    assert attributes(shop.products[0])["产地"] == "韩国"


@pytest.mark.public
def test_the_published_files(tmp_path: Path) -> None:
    products = read("openbg_classify", published("openbg_classify"), tmp_path).products
    assert len(products) == 500
    assert len({row["category"].split("/")[0] for row in products}) == 5
    judged = read("openbg_title_attribute", published("openbg_title_attribute"), tmp_path).judgements
    assert len(judged) == 500
    assert set(judged["label"]) == {"match", "not match"}
