from collections import Counter
from pathlib import Path

import pytest

from shopguide.errors import DataError
from shopguide.records.partition import partition
from shopguide.tasks.intent import Intent
from shopguide.tasks.overlap import overlap
from tests.records.public.reading import published, read

HEADER = "utterance,intent,entity_type,entity_value,start_offset,end_offset,category,tags\n"


def test_made_up_utterances(tmp_path: Path) -> None:
    root = tmp_path / "bitext"
    root.mkdir()
    (root / "dev.csv").write_text(HEADER + "where is it?,track_order,,,,,ORDER,B\n")
    (root / "train.csv").write_text(HEADER + '"no, cancel 12",cancel_order,order_id,12,11,13,ORDER,B\n')
    rows = list(read("bitext", root, tmp_path).dialogues)
    assert [(row["question"], row["intent"], row["split"]) for row in rows] == [
        ("no, cancel 12", "cancel_order", "train"),
        ("where is it?", "track_order", "dev"),
    ]
    slots = [(row["text"], row["spans"], row["split"]) for row in read("bitext", root, tmp_path).annotations]
    assert slots == [
        ("no, cancel 12", [{"start": 11, "end": 13, "label": "order_id"}], "train"),
        ("where is it?", [], "dev"),
    ]


def test_the_test_file_alone(tmp_path: Path) -> None:
    root = tmp_path / "bitext"
    root.mkdir()
    (root / "test.csv").write_text(HEADER + "hello,contact,,,,,CONTACT,B\n")
    assert [row["split"] for row in read("bitext", root, tmp_path).dialogues] == ["test"]


def test_a_folder_without_the_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"as the authors publish them, found no train.csv"):
        read("bitext", tmp_path, tmp_path)


@pytest.mark.public
def test_the_published_files_and_their_leak(tmp_path: Path) -> None:
    shop = read("bitext", published("bitext"), tmp_path)
    assert Counter(shop.dialogues["split"]) == {"train": 6_480, "dev": 810}
    assert len(set(shop.dialogues["intent"])) == 27
    examples = Intent(name="intent").examples(shop, partition(shop, "group", (0.8, 0.1, 0.1), 0), None)
    found = overlap(examples.of("train").first, examples.of("dev").first)
    assert (found.same, found.near) == (38, 97)
