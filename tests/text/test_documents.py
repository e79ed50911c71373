from pathlib import Path

import numpy as np

from shopguide.records.partition import Partition
from shopguide.text.documents import pretraining_documents
from tests.records.shops import load, write_lines, write_shop

TRAIN = np.array(["train"] * 3, dtype=object)


def parts(**changes: list[str]) -> Partition:
    tables = {"products": TRAIN, "behaviours": TRAIN[:2], "judgements": TRAIN, "dialogues": TRAIN[:2]}
    tables |= {"pairs": TRAIN[:2], "annotations": TRAIN[:2]}
    return Partition(**tables | {name: np.array(split, dtype=object) for name, split in changes.items()})


def documents(folder: Path, own: Partition, *kinds: str) -> list[list[str]]:
    root = write_shop(folder / "shop")
    write_lines(root / "dialogues.jsonl", [{"question": "Waterproof?", "answer": "Yes."}, {"question": "Hello?"}])
    judged = [{"query": query, "item_id": "I1", "label": 1} for query in ("red boots", "red boots", "lamp")]
    write_lines(root / "judgements.jsonl", judged)
    asked = [{"text": "Fits?", "text_pair": other, "label": 1} for other in ("Will it fit?", "Fits?")]
    write_lines(root / "pairs.jsonl", asked)
    write_lines(root / "annotations.jsonl", [{"text": "red boots"}, {"text": "云峰鞋"}])
    return list(pretraining_documents(load(root), own, kinds, ("title", "attributes", "description")))


def test_each_kind_in_the_order_asked_for(tmp_path: Path) -> None:
    found = documents(tmp_path, parts(), "products", "queries", "sessions", "dialogues", "pairs", "annotations")
    assert found == [
        ["Trail boot | Peak, red"],
        ["登山鞋 防水 | 云峰"],
        ["Phone case | Fits all."],
        ["手机壳"],
        ["boots"],
        ["red boots"],
        ["lamp"],
        ["手机壳", "Trail boot", "Phone case", "Phone case"],
        ["boots", "登山鞋 防水"],
        ["Waterproof?", "Yes."],
        ["Hello?"],
        ["Fits?"],
        ["Will it fit?"],
        ["red boots"],
        ["云峰鞋"],
    ]


def test_nothing_held_out_is_read(tmp_path: Path) -> None:
    held_out = {
        "judgements": ["dev", "dev", "test"],
        "pairs": ["dev", "aside"],
        "behaviours": ["train", "dev"],
        "dialogues": ["test", "dev"],
        "annotations": ["dev", "test"],
    }
    own = parts(products=["train", "test", "aside"], **held_out)
    found = documents(tmp_path, own, "products", "queries", "sessions", "dialogues", "pairs", "annotations")
    assert found == [["Trail boot | Peak, red"], ["手机壳"], ["手机壳", "Trail boot"]]
