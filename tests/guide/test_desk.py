import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from shopguide.guide.desk import BusyError, Desk


def run(case: Any) -> Any:
    return asyncio.run(case)


def test_those_that_wait_are_answered_together() -> None:
    seen: list[list[Any]] = []

    def work(requests: Sequence[Any]) -> list[Any]:
        seen.append(list(requests))
        time.sleep(0.02)
        return [2 * request for request in requests]

    async def case() -> None:
        desk = Desk(lambda _kind: work, 4, 100, 5)
        desk.start()
        assert await asyncio.gather(*(desk.ask("double", number) for number in range(10))) == list(range(0, 20, 2))
        await desk.stop()

    run(case())
    assert [number for part in seen for number in part] == list(range(10))
    assert max(map(len, seen)) == 4


def test_each_kind_by_its_own_work() -> None:
    works = {"double": lambda requests: [2 * r for r in requests], "negate": lambda requests: [-r for r in requests]}

    async def case() -> None:
        desk = Desk(works.__getitem__, 4, 100, 5)
        desk.start()
        asked = [desk.ask(("double", "negate")[number % 2], number) for number in range(6)]
        assert await asyncio.gather(*asked) == [0, -1, 4, -3, 8, -5]
        await desk.stop()

    run(case())


def test_one_that_fails_fails_alone() -> None:
    def work(requests: Sequence[Any]) -> list[Any]:
        return [1 / request for request in requests]

    async def case() -> None:
        desk = Desk(lambda _kind: work, 4, 100, 5)
        desk.start()
        found = await asyncio.gather(*(desk.ask("invert", n) for n in (1, 0, 2)), return_exceptions=True)
        assert (found[0], found[2]) == (1.0, 0.5)
        assert isinstance(found[1], ZeroDivisionError)
        await desk.stop()

    run(case())


def slow(requests: Sequence[Any]) -> list[Any]:
    time.sleep(0.3)
    return list(requests)


def test_too_many_are_sent_away_and_the_others_answered() -> None:
    async def case() -> None:
        desk = Desk(lambda _kind: slow, 1, 2, 5)
        desk.start()
        first = asyncio.create_task(desk.ask("slow", 0))
        await asyncio.sleep(0.05)
        found = await asyncio.gather(*(desk.ask("slow", n) for n in range(1, 6)), return_exceptions=True)
        assert [type(one) for one in found] == [int, int, BusyError, BusyError, BusyError]
        assert await first == 0
        await desk.stop()

    run(case())


def test_one_that_waits_too_long_is_not_begun() -> None:
    done: list[Any] = []

    def work(requests: Sequence[Any]) -> list[Any]:
        done.extend(requests)
        return slow(requests)

    async def case() -> None:
        desk = Desk(lambda _kind: work, 1, 10, 0.1)
        desk.start()
        found = await asyncio.gather(*(desk.ask("slow", n) for n in range(3)), return_exceptions=True)
        assert all(isinstance(one, BusyError) for one in found)
        await desk.stop()

    run(case())
    assert done == [0]


def test_stopping_answers_those_that_wait() -> None:
    async def case() -> None:
        desk = Desk(lambda _kind: slow, 1, 10, 5)
        desk.start()
        asked = [asyncio.create_task(desk.ask("slow", n)) for n in range(2)]
        await asyncio.sleep(0.01)
        await desk.stop()
        assert await asyncio.wait_for(asyncio.gather(*asked), 2) == [0, 1]

    run(case())


def test_busy_tells_when_to_ask_again() -> None:
    assert BusyError(3).seconds == 3
    with pytest.raises(BusyError, match="3 s"):
        raise BusyError(3)
