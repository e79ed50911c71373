import json
from pathlib import Path

import numpy as np
import pytest

from shopguide.errors import DataError
from shopguide.records.partition import Partition
from shopguide.records.schema import TABLES
from shopguide.records.tables import Shop
from shopguide.tasks.evidence import Evidence
from tests.records.shops import load, write_lines, write_shop

PRODUCTS = [
    {
        "item_id": "1",
        "title": "Trail boot",
        "description": "Keeps water out. Made in Portugal.",
        "attributes": {"upper_material": "leather", "brand": "Peak"},
        "reviews": ["They run small."],
    },
    {"item_id": "2", "title": "Mug", "description": "Holds tea.", "attributes": {"brand": "Luma", "colour": "green"}},
]
DIALOGUES = [
    {"question": "what is it made of", "answer": "It is leather.", "item_id": "1"},
    {"question": "how is the fit", "answer": "They run small.", "item_id": "1"},
    {"question": "what colour is it", "answer": "It is green.", "item_id": "2"},
    {"question": "is it pretty", "answer": "It is.", "item_id": "2"},
    {"question": "is it sold in Rome", "answer": "Only in Milan.", "item_id": "2"},
    {"question": "where is my parcel", "answer": "On its way."},
    {"question": "unanswered", "item_id": "1"},
]


def all_train(shop: Shop) -> Partition:
    return Partition(*(np.full(len(getattr(shop, table)), "train") for table in TABLES))


def asked(folder: Path, **options: int) -> list[tuple[str, str | None, str | None]]:
    root = write_shop(folder / "shop", PRODUCTS, [])
    write_lines(root / "dialogues.jsonl", DIALOGUES)
    shop = load(root)
    found = Evidence(name="evidence", **options).examples(shop, all_train(shop), None)
    assert found.second is not None
    return list(zip(found.first, found.second, found.labels["answers"], strict=True))


def test_the_piece_in_which_the_answers_words_stand_answers(tmp_path: Path) -> None:
    rows = asked(tmp_path, negatives=99)
    told = {(question, piece) for question, piece, label in rows if label == "1"}
    assert told == {
        ("what is it made of", "upper material: leather"),
        ("how is the fit", "They run small."),
        ("what colour is it", "colour: green"),
    }
    wrong = {piece for question, piece, label in rows if (question, label) == ("what is it made of", "0")}
    assert wrong == {"brand: Peak", "Keeps water out.", "Made in Portugal.", "They run small."}


def test_what_nothing_answers_and_messages_on_no_product(tmp_path: Path) -> None:
    rows = asked(tmp_path)
    questions = {question for question, _, _ in rows}
    assert questions == {"what is it made of", "how is the fit", "what colour is it", "where is my parcel"}
    assert [label for question, _, label in rows if question == "where is my parcel"] == ["0", "0"]
    assert asked(tmp_path / "again") == rows


def test_few_wrong_ones_are_drawn(tmp_path: Path) -> None:
    rows = asked(tmp_path, negatives=1)
    assert [label for question, _, label in rows if question == "how is the fit"].count("0") == 1


def test_judged_pieces(tmp_path: Path) -> None:
    root = write_shop(tmp_path / "shop", [{"item_id": "a", "title": "size: L"}, {"item_id": "b", "title": "red"}], [])
    judged = [{"query": "does it fit?", "item_id": item, "label": label} for item, label in (("a", 1), ("b", 0))]
    (root / "judgements.jsonl").write_text("\n".join(map(json.dumps, judged)))
    shop = load(root)
    found = Evidence(name="evidence").examples(shop, all_train(shop), None)
    assert (found.first, found.second) == (["does it fit?"] * 2, ["size: L", "red"])
    assert found.labels == {"answers": ["1", "0"]}


def test_judgements_of_search_are_no_evidence(tmp_path: Path) -> None:
    root = write_shop(tmp_path / "shop", PRODUCTS, [])
    (root / "judgements.jsonl").write_text('{"query": "boots", "item_id": "1", "label": "E"}')
    shop = load(root)
    with pytest.raises(DataError, match="task `evidence`: expected judgements labelled 0 or 1, found E"):
        Evidence(name="evidence").examples(shop, all_train(shop), None)
    write_lines(root / "dialogues.jsonl", DIALOGUES)
    shop = load(root)
    assert "boots" not in Evidence(name="evidence").examples(shop, all_train(shop), None).first
