"""WDC PAVE, AE-110K and OA-Mine: one layout, three sets."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from shopguide.errors import DataError
from shopguide.records.partition import partition
from shopguide.tasks.values import Values
from tests.records.public.reading import published, read

OFFER = {
    "input_title": "Canon Ink",
    "input_description": "50 Sheet",
    "category": "Office",
    "target_scores": {"Brand": {"Canon": {"pid": [0], "score": 1}}, "Color": {"n/a": 1}, "Pack": {"50": 1, "Sheet": 1}},
}
TITLE = {"input": "FISH Lure YA24a", "category": "Lure", "target_scores": {"Model": {"YA24a": 1}}}
FILES = {"wdc_pave": "train_large", "ae_110k": "train", "oa_mine": "train"}


def write(path: Path, *rows: object) -> None:
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))


@pytest.mark.parametrize("name", FILES)
def test_made_up_offers(name: str, tmp_path: Path) -> None:
    write(tmp_path / f"{FILES[name]}.jsonl.gz", OFFER, TITLE)
    rows = list(read(name, tmp_path, tmp_path / "cache").products)
    assert [(row["title"], row["description"], row["category"], row["split"]) for row in rows] == [
        ("Canon Ink", "50 Sheet", "Office", None),
        ("FISH Lure YA24a", None, "Lure", None),
    ]
    assert [(pair["name"], pair["value"]) for pair in rows[0]["attributes"]] == [
        ("Brand", "Canon"),
        ("Color", "n/a"),
        ("Pack", "50"),
        ("Pack", "Sheet"),
    ]


def test_the_test_file_beside_it_and_another_training_file(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl.gz", TITLE)
    write(tmp_path / "test.jsonl.gz", OFFER)
    rows = read("wdc_pave", tmp_path, tmp_path / "cache", options={"train": "train"}).products
    assert [(row["item_id"], row["split"]) for row in rows] == [("train-1", "train"), ("test-1", "test")]


def test_where_only_a_test_file_is_published_dev_is_drawn_from_training(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl.gz", *({**TITLE, "input": f"lure {i} YA24a"} for i in range(60)))
    write(tmp_path / "test.jsonl.gz", *({**TITLE, "input": f"bait {i} YA24a"} for i in range(9)))
    shop = read("ae_110k", tmp_path, tmp_path / "cache")
    parts = partition(shop, "group", (0.8, 0.1, 0.1), 0).products
    assert Counter(parts[60:]) == {"test": 9}
    assert set(parts[:60]) == {"train", "dev"}


def test_faults(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl.gz", {"input": "x", "target_scores": "Brand"})
    with pytest.raises(DataError, match=r"train.jsonl.gz:1  attributes  expected an object of attributes"):
        read("oa_mine", tmp_path, tmp_path / "cache")
    with pytest.raises(DataError, match=r"found no train_large.jsonl"):
        read("wdc_pave", tmp_path, tmp_path / "cache")


@pytest.mark.public
@pytest.mark.parametrize(
    ("name", "folder", "products", "asked"),
    [
        ("wdc_pave", "wdc_pave", 1_066, 16_439),
        ("ae_110k", "ae-110k", 1_568, 4_360),
        ("oa_mine", "oa-mine", 1_452, 7_360),
    ],
)
def test_the_published_files(name: str, folder: str, products: int, asked: int, tmp_path: Path) -> None:
    shop = read(name, published(folder), tmp_path)
    assert len(shop.products) == products
    examples = Values(name="values").examples(shop, partition(shop, "group", (0.8, 0.1, 0.1), 0), None)
    assert len(examples) == asked
    unplaced = sum(spans is None for spans in examples.spans or ())
    assert unplaced < 0.06 * asked
