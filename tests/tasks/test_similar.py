from pathlib import Path

import numpy as np
import pytest

from shopguide.errors import DataError
from shopguide.records.partition import Partition
from shopguide.records.schema import TABLES
from shopguide.records.tables import Shop
from shopguide.tasks.similar import Similar
from tests.records.shops import load, write_lines, write_shop

PAIRS = [
    ("Red boot", "boot, red", "1", "train"),
    ("Red boot", "lamp", "0", "train"),
    ("Red boot", "boots (red)", "1", "train"),
    ("Desk lamp", "lamp", "1", "dev"),
    ("Desk lamp", "boot, red", "0", "dev"),
    ("Red boot", "red boot 42", "1", "test"),
    ("tea", "lamp", "0", "test"),
]


def shop_of(folder: Path) -> tuple[Shop, Partition]:
    root = write_shop(folder / "shop")
    write_lines(root / "pairs.jsonl", [dict(zip(("text", "text_pair", "label"), pair, strict=False)) for pair in PAIRS])
    shop = load(root)
    parts = {table: np.full(len(getattr(shop, table)), "train", dtype=object) for table in TABLES}
    return shop, Partition(**parts | {"pairs": np.array([split for *_, split in PAIRS], dtype=object)})


def test_a_text_of_a_split_finds_what_means_the_same(tmp_path: Path) -> None:
    found = Similar(name="similar").examples(*shop_of(tmp_path), None)
    assert found.first == ["Red boot", "Desk lamp", "Red boot"]
    assert found.split == ["train", "dev", "test"]
    assert found.wanted == [{"boot, red": 1, "boots (red)": 1}, {"lamp": 1}, {"red boot 42": 1}]
    assert found.groups == ["red boot", "desk lamp", "red boot"]
    assert found.catalogue is not None
    assert found.catalogue.ids == found.catalogue.texts == ["boot, red", "lamp", "boots (red)", "red boot 42"]


def test_the_label_that_means_the_same_is_a_setting(tmp_path: Path) -> None:
    found = Similar(name="similar", positive="0").examples(*shop_of(tmp_path), None)
    assert found.wanted == [{"lamp": 1}, {"boot, red": 1}, {"lamp": 1}]
    with pytest.raises(DataError, match=r"found 0 .*needs pairs \(text, text_pair, label\) with the label same"):
        Similar(name="similar", positive="same").checked_examples(*shop_of(tmp_path), None)


def test_products_are_read_by_their_fields(tmp_path: Path) -> None:
    shop, _ = shop_of(tmp_path)
    assert Similar(name="similar").shown(shop)[0] == "Trail boot"
