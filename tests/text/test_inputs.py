from typing import Any

import pytest

from shopguide.text.inputs import InputSpec, field_value, join_fields


@pytest.mark.parametrize(
    "record",
    [
        {"attributes": {"brand": "Peak", "colour": "red", "size": None}},
        {"attributes": [{"name": "brand", "value": "Peak"}, {"name": "colour", "value": "red"}]},
        {"attributes": {"brand": ["Peak", ""], "colour": ["red"]}},
        {"attributes": '{"brand": "Peak", "colour": "red"}'},
        {"attributes.brand": "Peak", "attributes.colour": "red", "attributes.size": ""},
    ],
)
def test_attributes_as_every_format_has_them(record: dict[str, Any]) -> None:
    assert field_value(record, "attributes") == "Peak, red"
    assert field_value(record, "attributes.colour") == "red"
    assert field_value(record, "attributes.size") == ""


@pytest.mark.parametrize(
    ("attributes", "text"),
    [("red, leather", "red, leather"), ("[1", "[1"), (["red", "leather"], "red, leather"), (None, ""), ("", "")],
)
def test_attributes_without_names_are_words(attributes: Any, text: str) -> None:
    assert field_value({"attributes": attributes}, "attributes") == text
    assert field_value({"attributes": attributes}, "attributes.colour") == ""


def test_fields_in_the_order_of_the_spec_without_the_empty_ones() -> None:
    record = {"title": " Trail boot ", "category": "", "price": 399, "description": None}
    assert join_fields(record, ("price", "category", "description", "title")) == "399 | Trail boot"


def test_a_pair_has_two_texts_and_a_spec_reads_back() -> None:
    spec = InputSpec(("query",), ("title", "attributes"))
    assert spec.render({"query": "boots", "title": "Trail boot"}) == ("boots", "Trail boot")
    assert InputSpec(("query",)).render({"query": "boots"}) == ("boots", None)
    assert InputSpec.from_dict(spec.to_dict()) == spec
