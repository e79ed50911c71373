import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopguide.text import ragged
from shopguide.text.ragged import Ragged, RaggedWriter

ROWS = st.lists(st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=5), max_size=4), max_size=6)


def written(parts: list[list[list[int]]]) -> Ragged:
    writer = RaggedWriter()
    for rows in parts:
        writer.add(rows)
    return writer.done()


@given(ROWS, st.sampled_from([0, 3, 10, 1 << 22]))
def test_rows_are_read_as_they_were_added(parts: list[list[list[int]]], held: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ragged, "HELD", held)
        found, rows = written(parts), [row for part in parts for row in part]
        assert len(found) == len(rows)
        assert [row.tolist() for row in found] == rows
        assert found.lengths.tolist() == list(map(len, rows))
        twice = Ragged.joined([found, found])
        assert [row.tolist() for row in twice] == rows * 2


def test_many_lie_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ragged, "HELD", 10)
    assert isinstance(written([[[1] * 6, [2] * 6], [[3]]])._flat, np.memmap)
    assert not isinstance(written([[[1] * 5]])._flat, np.memmap)
