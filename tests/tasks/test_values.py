from pathlib import Path

import numpy as np
import pytest

from shopguide.errors import DataError
from shopguide.records.partition import Partition
from shopguide.records.schema import TABLES
from shopguide.records.tables import Shop
from shopguide.tasks.spans import Spans
from shopguide.tasks.values import Values, occurrences
from shopguide.text.tags import Span
from tests.records.shops import load, write_lines, write_shop

PRODUCTS = [
    {"item_id": "1", "title": "Red Nike shoe, red", "attributes": {"Colour": "red", "Brand": "Nike", "Size": "n/a"}},
    {"item_id": "2", "title": "Shoe", "description": "by Acme or Apex", "attributes": {"Brand": ["Acme", "Apex"]}},
    {"item_id": "3", "title": "Boot", "attributes": {"Brand": "Peak"}},
]


def all_train(shop: Shop) -> Partition:
    return Partition(*(np.full(len(getattr(shop, table)), "train") for table in TABLES))


def test_each_attribute_of_a_product_is_a_question_about_its_text(tmp_path: Path) -> None:
    shop = load(write_shop(tmp_path / "shop", PRODUCTS, []))
    found = Values(name="values").examples(shop, all_train(shop), None)
    assert found.first == ["Colour", "Brand", "Size", "Brand", "Brand"]
    assert found.values == [["red"], ["Nike"], [], ["Acme", "Apex"], ["Peak"]]
    assert found.spans == [
        [Span(15, 18, "value")],
        [Span(4, 8, "value")],
        [],
        [Span(10, 14, "value"), Span(18, 22, "value")],
        None,  # nowhere in the text: scored, not learnt from
    ]
    assert found.second is not None
    assert found.second[3] == "Shoe | by Acme or Apex"


def test_attributes_that_a_product_lacks_are_drawn_as_none(tmp_path: Path) -> None:
    shop = load(write_shop(tmp_path / "shop", [*PRODUCTS, {"item_id": "4", "title": "Bare"}], []))
    one, many = (Values(name="values", negatives=count).examples(shop, all_train(shop), None) for count in (1, 9))
    assert one == Values(name="values", negatives=1).examples(shop, all_train(shop), None)
    assert len(one) == 5 + 2  # the first product has all attributes, the last one none to learn from
    assert many.first[3:] == ["Brand", "Colour", "Size"] * 2
    assert many.values is not None
    assert many.values[4:6] == [[], []]
    assert many.spans is not None
    assert many.spans[4:6] == [[], []]


def test_values_stand_as_whole_words_the_longer_first_in_their_own_case_if_they_do() -> None:
    assert occurrences("L Large 3XL 30 L", ["L"]) == [Span(0, 1, "value"), Span(15, 16, "value")]
    assert occurrences("wool, Wool coat", ["wool", "wool coat"]) == [Span(0, 4, "value"), Span(6, 15, "value")]
    assert occurrences("4Inx6In", ["6In"]) == [Span(4, 7, "value")]
    assert occurrences("纯棉的棉衣", ["棉"]) == [Span(1, 2, "value"), Span(3, 4, "value")]
    assert occurrences("a (b) c", ["(b)"]) == [Span(2, 5, "value")]


def test_annotations_are_the_examples_of_spans(tmp_path: Path) -> None:
    root = write_shop(tmp_path / "shop")
    rows = [{"text": " red shoe", "spans": [{"start": 1, "end": 4, "label": "colour"}]}, {"text": "shoe"}]
    write_lines(root / "annotations.jsonl", rows)
    shop = load(root)
    found = Spans(name="spans").examples(shop, all_train(shop), None)
    assert found.first == [" red shoe", "shoe"]
    assert found.spans == [[Span(1, 4, "colour")], []]


def test_a_shop_without_annotations_or_without_any_span(tmp_path: Path) -> None:
    shop = load(write_shop(tmp_path / "shop"))
    with pytest.raises(DataError, match=r"found 0 .*needs annotations \(text, spans\)"):
        Spans(name="spans").checked_examples(shop, all_train(shop), None)
    root = write_shop(tmp_path / "other")
    write_lines(root / "annotations.jsonl", [{"text": f"shoe {i}"} for i in range(9)])
    bare = load(root)
    with pytest.raises(DataError, match=r"expected marked text among 9 training examples, found none"):
        Spans(name="spans").checked_examples(bare, all_train(bare), None)
