from pathlib import Path

import numpy as np

from shopguide.records.partition import Partition
from shopguide.text.documents import pretraining_documents
from tests.records.shops import load, write_lines, write_shop

TRAIN = np.array(["train"] * 3, dtype=object)


def parts(**changes: list[str]) -> Partition:
    tables = {"products": TRAIN, "behaviours": TRAIN[:2], "judgements": TRAIN[:0], "dialogues": TRAIN[:2]}
    tables |= {"pairs": TRAIN[:0], "annotations": TRAIN[:2]}
    return Partition(**tables | {name: np.array(split, dtype=object) for name, split in changes.items()})


def documents(folder: Path, own: Partition, *kinds: str) -> list[list[str]]:
    root = write_shop(folder / "shop")
    write_lines(root / "dialogues.jsonl", [{"question": "Waterproof?", "answer": "Yes."}, {"question": "Hello?"}])
    write_lines(root / "annotations.jsonl", [{"text": "red boots"}, {"text": "云峰鞋"}])
    return list(pretraining_documents(load(root), own, kinds, ("title", "attributes", "description")))


def test_each_kind_in_the_order_asked_for(tmp_path: Path) -> None:
    found = documents(tmp_path, parts(), "products", "queries", "sessions", "dialogues", "annotations")
    assert found == [
        ["Trail boot | Peak, red"],
        ["登山鞋 防水 | 云峰"],
        ["Phone case | Fits all."],
        ["手机壳"],
        ["boots"],
        ["手机壳", "Trail boot", "Phone case", "Phone case"],
        ["boots", "登山鞋 防水"],
        ["Waterproof?", "Yes."],
        ["Hello?"],
        ["red boots"],
        ["云峰鞋"],
    ]


def test_nothing_held_out_is_read(tmp_path: Path) -> None:
    held_out = {"behaviours": ["train", "dev"], "dialogues": ["test", "dev"], "annotations": ["dev", "test"]}
    own = parts(products=["train", "test", "aside"], **held_out)
    found = documents(tmp_path, own, "products", "queries", "sessions", "dialogues", "annotations")
    assert found == [["Trail boot | Peak, red"], ["手机壳"], ["手机壳", "Trail boot"]]
