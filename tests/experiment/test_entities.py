import gzip
from pathlib import Path

import pytest

from shopguide.config import DataConfig, MaskingConfig
from shopguide.errors import DataError
from shopguide.experiment.entities import entities
from shopguide.experiment.prepare import Material, load_material
from tests.records.shops import write_lines, write_shop


def material(folder: Path) -> Material:
    root = write_shop(folder / "shop")
    rows = [
        {"text": "big Zeta shoe", "spans": [{"start": 4, "end": 8, "label": "brand"}], "split": split}
        for split in ("train", "dev")
    ]
    rows[1]["text"] = "red Acme shoe"
    write_lines(root / "annotations.jsonl", rows)
    data = DataConfig(name="files", reader="files", root=str(root), cache_dir=str(folder / "cache"))
    found = load_material(data)
    found.parts.products[:] = ["train", "train", "dev"]
    return found


def test_the_catalogues_own_words_of_training_rows_alone(tmp_path: Path) -> None:
    assert entities(["catalogue"], material(tmp_path)) == {"peak", "red", "云峰", "shoes", "boots", "zeta"}


def test_lists_plain_and_packed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("卓凯\n 生活品 \nx\n42\n\n", encoding="utf-8")
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"Air Max\r\n"))
    places = [str(tmp_path / name) for name in ("a.txt", "b.gz")]
    assert entities(places, material(tmp_path)) == {"卓凯", "生活品", "air max"}
    assert entities([], material(tmp_path)) == set()


def test_mistakes(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"expected lines of text in UTF-8"):
        entities([str(tmp_path / "bad")], material(tmp_path))
    with pytest.raises(ValueError, match=r"entities=/nope: expected `catalogue` or a file with a phrase a line"):
        MaskingConfig(entities=["/nope"])
    with pytest.raises(ValueError, match=r"they go with strategy=whole_word or span"):
        MaskingConfig(entities=["catalogue"], strategy="token")
