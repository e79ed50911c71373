import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopguide.inference.lanes import evened, side_by_side


@pytest.mark.parametrize("lanes", [1, 2, 5])
def test_results_come_in_the_order_of_the_batches(lanes: int) -> None:
    def work(batch: int) -> int:
        time.sleep(0.01 * (batch % 3 == 0))
        return batch * batch

    assert list(side_by_side(work, range(20), lanes)) == [n * n for n in range(20)]
    assert list(side_by_side(work, [], lanes)) == []


def test_one_lane_is_the_callers_own_thread() -> None:
    assert set(side_by_side(lambda _: threading.get_ident(), range(3), 1)) == {threading.get_ident()}


def test_lanes_work_at_once_and_are_prepared_first() -> None:
    both, prepared = threading.Barrier(2, timeout=20), threading.local()

    def prepare() -> None:
        prepared.done = True

    def work(_: int) -> bool:
        both.wait()
        return bool(prepared.done)

    assert list(side_by_side(work, range(6), 2, prepare)) == [True] * 6


@pytest.mark.parametrize("lanes", [1, 3])
def test_an_error_is_the_callers(lanes: int) -> None:
    def work(batch: int) -> int:
        if batch == 2:
            raise ValueError("batch 2")
        return batch

    found = side_by_side(work, range(6), lanes)
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(ValueError, match="batch 2"):
        next(found)


def test_what_is_not_begun_is_left_when_the_caller_stops() -> None:
    begun = []

    def work(batch: int) -> int:
        begun.append(batch)
        time.sleep(0.02)
        return batch

    found: Iterator[int] = side_by_side(work, range(1000), 2)
    next(found)
    found.close()  # type: ignore[attr-defined]
    assert len(begun) < 20


@given(st.lists(st.integers(1, 40), max_size=40), st.integers(1, 9))
def test_lanes_end_together(sizes: list[int], lanes: int) -> None:
    batches = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1]) if sizes else []
    found = evened(batches, lanes)
    whole = len(sizes) // lanes * lanes
    for before, after in zip(batches[:whole], found[:whole], strict=True):
        np.testing.assert_array_equal(before, after)
    rest = found[whole:]
    assert sorted(np.concatenate([*rest, []])) == list(range(sum(sizes[:whole]), sum(sizes)))
    assert all(any(set(rows) <= set(batch) for batch in batches[whole:]) for rows in rest)
    assert len(rest) <= lanes
    if rest and min(sizes[whole:]) >= lanes:
        assert len(rest) + len(sizes[whole:]) > lanes
