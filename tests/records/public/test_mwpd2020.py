import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from shopguide.errors import DataError
from tests.records.public.reading import attributes, published, read


def offer(number: str, name: str | None, **more: str | None) -> dict[str, str | None]:
    levels = {"lvl1": "50_Food", "lvl2": "51_Tea/Coffee", "lvl3": "52_Tea"}
    return {
        "ID": number,
        "Name": name,
        "Description": "Loose leaves",
        "CategoryText": None,
        "URL": "http://a",
        **levels,
    } | more


def archive(path: Path, members: dict[str, list[dict[str, str | None]]]) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, rows in members.items():
            file.writestr(name, "\n".join(json.dumps(row) for row in rows))


def test_made_up_offers(tmp_path: Path) -> None:
    root = tmp_path / "mwpd"
    root.mkdir()
    members = {"train.json": [offer("1", "Tea"), offer("2", None)], "validation.json": [offer("1", "Mug")]}
    archive(root / "task2_train_val_with_labels.zip", members)
    archive(root / "task2_testset_with_labels.zip", {"task2_testset_with_labels.json": [offer("1", "Kettle")]})
    shop = read("mwpd2020", root, tmp_path)
    products = list(shop.products)
    assert [p["item_id"] for p in products] == ["train-1", "train-2", "dev-1", "test-1"]
    assert [p["title"] for p in products] == ["Tea", "Loose leaves", "Mug", "Kettle"]
    assert [p["split"] for p in products] == ["train", "train", "dev", "test"]
    assert products[0]["category"] == "50_Food/51_Tea-Coffee/52_Tea"
    assert attributes(products[0])["lvl2"] == "51_Tea/Coffee"


def test_the_test_file_alone(tmp_path: Path) -> None:
    root = tmp_path / "mwpd"
    root.mkdir()
    archive(root / "task2_testset_with_labels.zip", {"task2_testset_with_labels.json": [offer("7", "Kettle")]})
    assert [p["item_id"] for p in read("mwpd2020", root, tmp_path).products] == ["test-7"]


def test_a_folder_without_the_archives(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"as the authors publish them, found no task2_\*_with_labels.zip"):
        read("mwpd2020", tmp_path, tmp_path)


@pytest.mark.public
def test_the_published_files(tmp_path: Path) -> None:
    shop = read("mwpd2020", published("mwpd2020"), tmp_path)
    assert Counter(shop.products["split"]) == {"train": 10_012, "dev": 3_000}
    for level, count in {"lvl1": 37, "lvl2": 76, "lvl3": 281}.items():
        assert len({attributes(p)[level] for p in shop.products if p["split"] == "train"}) == pytest.approx(
            count, abs=30
        )
