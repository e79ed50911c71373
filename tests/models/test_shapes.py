from hypothesis import given
from hypothesis import strategies as st

from shopguide.models.shapes import recurring


@given(st.integers(0, 1 << 20))
def test_a_little_more_and_not_less(count: int) -> None:
    assert count <= recurring(count) <= count * 17 / 16
    assert recurring(recurring(count)) == recurring(count)


def test_few_sizes_stand_for_many() -> None:
    assert len({recurring(count) for count in range(1024, 4096)}) <= 33
    assert [recurring(count) for count in (0, 1, 15, 100, 2424)] == [0, 1, 15, 100, 2432]
