import json
from collections import Counter
from pathlib import Path

import pytest

from shopguide.errors import DataError
from tests.records.public.reading import attributes, published, read


def write(root: Path, name: str, *rows: dict[str, object]) -> None:
    (root / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def test_made_up_reviews(tmp_path: Path) -> None:
    for fold in (0, 1):
        write(tmp_path, f"train_{fold}.json", {"id": 0, "sentence": f"好 {fold}", "label": "Positive"})
    write(tmp_path, "dev_1.json", {"id": 0, "sentence": "差", "label": "Negative"})
    write(tmp_path, "test_public.json", {"id": 0, "sentence": "中", "label": "Neutral"})
    write(tmp_path, "unlabeled.json", {"id": 0, "sentence": "未知"})
    rows = list(read("eprstmt", tmp_path, tmp_path / "cache", options={"fold": 1}).products)
    assert [(row["title"], row["split"], attributes(row)) for row in rows] == [
        ("好 1", "train", {"sentiment": "Positive"}),
        ("差", "dev", {"sentiment": "Negative"}),
        ("中", "test", {"sentiment": "Neutral"}),
        ("未知", "train", {}),
    ]


def test_the_test_file_alone_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"found no train_3.json"):
        read("eprstmt", tmp_path, tmp_path / "cache", options={"fold": 3})
    write(tmp_path, "test_public.json", {"sentence": "中", "label": "Negative"})
    assert [row["split"] for row in read("eprstmt", tmp_path, tmp_path / "cache").products] == ["test"]


@pytest.mark.public
def test_the_published_files(tmp_path: Path) -> None:
    rows = list(read("eprstmt", published("eprstmt"), tmp_path).products)
    labelled = Counter(row["split"] for row in rows if attributes(row))
    assert labelled == {"train": 32, "dev": 32}
    assert len(rows) > 19_000
