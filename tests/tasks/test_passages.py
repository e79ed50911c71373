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
        Passage("title", "title", "Trail boot"),
        *(
            Passage("description", "description", text)
            for text in ("Keeps water out.", "防水透气！", "适合登山。", "Two years of warranty")
        ),
        *(Passage("review", "review", text) for text in ("Runs small.", "Nice!", "偏小")),
    ]
    assert [piece.read for piece in found[2:4]] == ["upper material: leather", "Trail boot"]


@given(st.text(), st.lists(st.text(min_size=1), max_size=80))
def test_nothing_is_lost_but_blanks_and_what_is_beyond_the_most(text: str, reviews: list[str]) -> None:
    found = passages({"title": "x", "attributes": {}, "description": text, "reviews": reviews})
    assert all(0 < len(piece.text) <= LONGEST for piece in found)
    assert len(found) <= MOST
    told = "".join(piece.text for piece in found if piece.source == "description")
    kept = [letter for letter in text if not letter.isspace() and letter not in "•|"]
    if len(found) < MOST:
        assert [letter for letter in told if not letter.isspace() and letter not in "•|"] == kept


def test_a_long_sentence_is_cut_between_words() -> None:
    (_, *pieces) = passages({"title": "x", "attributes": {}, "description": "word " * 100})
    assert " ".join(piece.text for piece in pieces) == ("word " * 100).strip()
    assert len(pieces) == 2
