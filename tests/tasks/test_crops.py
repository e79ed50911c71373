from hypothesis import given
from hypothesis import strategies as st

from shopguide.tasks.crops import LONGEST, SHORTEST, crop
from shopguide.text.words import WORD


def words(text: str) -> list[str]:
    return [word for word in WORD.findall(text) if word[0].isalnum()]


def test_a_run_of_words_as_they_stand() -> None:
    title = 'HP "LaserJet" 1300n, 防水登山鞋 (black)'
    drawn = {crop(title, row) for row in range(200)}
    assert all(one in title for one in drawn)
    assert {len(words(one)) for one in drawn} == set(range(SHORTEST, LONGEST + 1))
    assert {'HP "LaserJet', "山鞋 (black", "水登山"} <= drawn


def test_the_same_in_every_run_and_of_each_field_another() -> None:
    text = " ".join(f"w{number}" for number in range(50))
    assert [crop(text, row, 1) for row in range(5)] == [crop(text, row, 1) for row in range(5)]
    assert crop(text, 3, 0) != crop(text, 3, 1)


def test_of_few_words_all() -> None:
    assert (crop("Lamp!", 0), crop(" — ", 0), crop("", 0)) == ("Lamp", "", "")


@given(st.text(), st.integers(0, 2**32))
def test_any_text(text: str, row: int) -> None:
    found = crop(text, row)
    assert found in text
    assert words(found) == [] if not words(text) else 1 <= len(words(found)) <= LONGEST
