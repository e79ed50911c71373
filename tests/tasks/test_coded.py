import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shopguide.tasks.coded import Coded, numbered

NAMES = st.lists(st.sampled_from(["a", "b", "手机", "", "aa"]), max_size=30)


@given(NAMES, st.data())
def test_as_a_list_of_the_same_texts(names: list[str], data: st.DataObject) -> None:
    coded = Coded(names)
    assert (len(coded), list(coded), coded[:3], coded[2:]) == (len(names), names, names[:3], names[2:])
    assert [coded[place] for place in range(len(names))] == names
    assert coded == names
    assert coded.count("a") == names.count("a")
    for name in {*names, "unknown"}:
        assert coded.rows_of(name).tolist() == [row for row, own in enumerate(names) if own == name]
    rows = data.draw(st.lists(st.integers(0, max(len(names) - 1, 0)), max_size=10 * bool(names)))
    taken = coded.take(np.array(rows, dtype=int))
    assert taken == [names[row] for row in rows]
    taken.append("new")
    assert (taken[-1], list(coded)) == ("new", names)
    coded.insert(0, "b")
    coded[len(names)] = "手机"
    del coded[0]
    assert list(coded) == [*names[:-1], "手机"][: len(names)] if names else not len(coded)


def test_each_text_is_held_once() -> None:
    first, second = ("".join(["phone", " case"]) for _ in range(2))
    assert first is not second
    coded = Coded([first, second])
    assert coded[0] is coded[1]


@given(NAMES)
def test_names_are_numbered_in_their_order(names: list[str]) -> None:
    distinct, number = numbered(names)
    theirs, places = np.unique(np.array(names, dtype=object), return_inverse=True)
    assert (distinct, number.tolist()) == (theirs.tolist(), places.tolist())
    assert numbered(iter(names))[1].tolist() == number.tolist()
