import time

from hypothesis import given
from hypothesis import strategies as st

from shopguide.tasks.passages import LONGEST, MOST, Passage, passages


def test_attributes_then_texts_sentence_by_sentence() -> None:
    product = {
        "title": "Trail boot",
        "category": "shoes/boots",
        "price": 39.5,
        "attributes": {"upper_material": "leather", "colour": ""},
        "description": "Keeps water out. 防水透气！适合登山。\n• Two years of warranty",
        "reviews": ["Runs small. Nice!", "偏小"],
    }
    found = passages(product)
    assert found == [
        Passage("attribute", "category", "shoes/boots"),
        Passage("attribute", "price", "39.50"),
        Passage("attribute", "upper_material", "leather"),
        *(
            Passage("description", "description", text)
            for text in ("Keeps water out.", "防水透气！", "适合登山。", "Two years of warranty")
        ),
        *(Passage("review", "review", text) for text in ("Runs small.", "Nice!", "偏小")),
    ]
    assert [piece.read for piece in found[2:4]] == ["upper material: leather", "Keeps water out."]


@given(st.text(), st.lists(st.text(min_size=1), max_size=40))
def test_nothing_is_lost_but_blanks_and_what_is_beyond_the_most(text: str, reviews: list[str]) -> None:
    found = passages({"title": "x", "attributes": {}, "description": text, "reviews": reviews})
    assert all(0 < len(piece.text) <= LONGEST for piece in found)
    told = [piece.text for piece in found if piece.source == "description"]
    assert len(told) <= MOST["description"]
    if len(told) < MOST["description"]:
        assert letters("".join(told)) == letters(text)


def letters(text: str) -> list[str]:
    return [letter for letter in text if not letter.isspace() and letter not in "•|\x1c\x1d\x1e"]


def test_long_texts_take_no_time_and_leave_room_for_reviews() -> None:
    begun = time.perf_counter()
    for text in ("a" * 400_000, "a" + " " * 400_000 + "b", "a. " * 100_000, "|" * 400_000):
        found = passages({"title": text, "attributes": {}, "description": text, "reviews": [text, "偏小"]})
        assert {piece.source for piece in found} <= {"description", "review"}
    assert time.perf_counter() - begun < 5
    found = passages({"title": "x", "attributes": {}, "description": "a. " * 100, "reviews": ["偏小"]})
    assert found[-1] == Passage("review", "review", "偏小")


def test_reviews_with_somebodys_number_or_address_are_left_out() -> None:
    reviews = ["Call me: 13800138000. Runs small.", "mail jane@x.org"]
    found = passages({"title": "x", "attributes": {}, "reviews": reviews})
    assert [piece.text for piece in found] == ["Runs small."]


def test_a_long_sentence_is_cut_between_words() -> None:
    pieces = passages({"title": "x", "attributes": {}, "description": "word " * 100})
    assert " ".join(piece.text for piece in pieces) == ("word " * 100).strip()
    assert len(pieces) == 2
