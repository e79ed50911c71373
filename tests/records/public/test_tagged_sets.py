"""QueryNER, product_brand_ner and taobao_ner: one way of reading, three layouts."""

import gzip
from collections import Counter
from pathlib import Path

import pytest

from shopguide.errors import DataError
from tests.records.public.reading import published, read

LAYOUTS = {
    "queryner": (
        "train.bio.txt",
        "# example_id 1\nred\tB-color\nduvet\tB-product\ncover\tI-product\n\n# example_id 2\ntv\tO\n",
        [("red duvet cover", [("red", "color"), ("duvet cover", "product")]), ("tv", [])],
    ),
    "product_brand_ner": (
        "train.txt.bieos",
        "飞\tB-HP\n利\tI-HP\n浦\tE-HP\n \tO\n灯\tS-HC\n\n新\tO\n",
        [("飞利浦 灯", [("飞利浦", "HP"), ("灯", "HC")]), ("新", [])],
    ),
    "taobao_ner": (
        "train.txt",
        "点 B-HCCX\n卡 I-HCCX\n/ O\n七 I-MISC\n  O\n# O\n\n简 O\n",
        [("点卡/七 #", [("点卡", "HCCX"), ("七", "MISC")]), ("简", [])],
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("packed", [False, True])
def test_made_up_texts(name: str, packed: bool, tmp_path: Path) -> None:
    file, content, expected = LAYOUTS[name]
    root = tmp_path / name
    root.mkdir()
    if packed:
        (root / f"{file}.gz").write_bytes(gzip.compress(content.encode()))
    else:
        (root / file).write_text(content.replace("\n", "\r\n"), encoding="utf-8")
    (root / file.replace("train", "test")).write_text(content, encoding="utf-8")
    rows = list(read(name, root, tmp_path).annotations)
    assert Counter(row["split"] for row in rows) == {"train": 2, "test": 2}
    for row, (text, spans) in zip(rows, expected * 2, strict=True):
        assert row["text"] == text
        assert [(text[s["start"] : s["end"]], s["label"]) for s in row["spans"]] == spans


def test_the_dev_file_alone(tmp_path: Path) -> None:
    (tmp_path / "dev.bio.txt").write_text("tv\tO\n")
    assert [row["split"] for row in read("queryner", tmp_path, tmp_path).annotations] == ["dev"]


def test_faults_are_told_by_line(tmp_path: Path) -> None:
    (tmp_path / "train.bio.txt").write_bytes(b"tv\tO\nbroken\n\xff\tO\n")
    with pytest.raises(DataError) as told:
        read("queryner", tmp_path, tmp_path)
    assert "train.bio.txt:2  (row)  expected token, '\\t', tag, found broken" in str(told.value)
    assert "train.bio.txt:3  (row)  expected text in UTF-8" in str(told.value)
    with pytest.raises(DataError, match=r"as the authors publish them, found no train.txt"):
        read("taobao_ner", tmp_path / "..", tmp_path)


@pytest.mark.public
@pytest.mark.parametrize(
    ("name", "train", "dev", "labels"),
    [("queryner", 7_841, 871, 17), ("product_brand_ner", 3_989, 500, 2), ("taobao_ner", 5_934, 466, 4)],
)
def test_the_published_files(name: str, train: int, dev: int, labels: int, tmp_path: Path) -> None:
    rows = read(name, published(name), tmp_path).annotations
    assert Counter(rows["split"]) == {"train": train, "dev": dev}
    assert len({span["label"] for spans in rows["spans"] for span in spans}) == labels
