"""The desk before the models: requests wait there, those alike are answered together, and too many are sent away."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

Work = Callable[[Sequence[Any]], Sequence[Any]]
"""Requests → their answers, in order."""


class BusyError(Exception):
    """Too many requests wait, or this one has waited too long.

    Attributes:
        seconds: after which to ask again.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(f"ask again in {seconds} s")
        self.seconds = seconds


@dataclass
class _Waiting:
    kind: str
    request: Any
    answer: "asyncio.Future[Any]"


class Desk:
    """Answers requests by one thread, since the models fill the machine's cores.

    Args:
        work: kind of request → what answers several.
        most: requests that are answered together.
        capacity: requests that may wait.
        seconds: that one may take, its waiting included.
    """

    def __init__(self, work: Callable[[str], Work], most: int, capacity: int, seconds: float) -> None:
        self._work, self._most, self._capacity, self._seconds = work, most, capacity, seconds
        self._waiting: deque[_Waiting] = deque()
        self._thread = ThreadPoolExecutor(1, "models")
        self._open, self._closing = asyncio.Event(), False
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Requests that nobody has begun with."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin to answer; within a running loop."""
        self._task = asyncio.get_running_loop().create_task(self._answer())

    async def stop(self) -> None:
        """Answer those that wait, then end."""
        self._closing = True
        self._open.set()
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    async def ask(self, kind: str, request: Any) -> Any:
        """The answer.

        Raises:
            BusyError: too many wait, or it took too long.
        """
        if len(self._waiting) >= self._capacity:
            raise BusyError(max(1, round(self._seconds / 2)))
        own = _Waiting(kind, request, asyncio.get_running_loop().create_future())
        self._waiting.append(own)
        self._open.set()
        try:
            return await asyncio.wait_for(own.answer, self._seconds)
        except TimeoutError as error:
            raise BusyError(max(1, round(self._seconds))) from error

    async def _answer(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._open.wait()
            if not (together := self._next()):
                if self._closing:
                    return
                self._open.clear()
                continue
            answers = await loop.run_in_executor(self._thread, _answered, self._work, together)
            for one, answer in zip(together, answers, strict=True):
                if one.answer.done():  # nobody waits for it any more
                    continue
                if isinstance(answer, Exception):
                    one.answer.set_exception(answer)
                else:
                    one.answer.set_result(answer)

    def _next(self) -> list[_Waiting]:
        """The first one that waits, and those of its kind, in their order."""
        found: list[_Waiting] = []
        others: deque[_Waiting] = deque()
        while self._waiting:
            one = self._waiting.popleft()
            if one.answer.done():
                continue
            if len(found) < self._most and (not found or one.kind == found[0].kind):
                found.append(one)
            else:
                others.append(one)
        self._waiting = others
        return found


def _answered(work: Callable[[str], Work], together: Sequence[_Waiting]) -> Sequence[Any]:
    """The answers, or of a request that fails the error: it fails alone."""
    requests, kind = [one.request for one in together], together[0].kind
    try:
        return work(kind)(requests)
    except Exception as error:
        if len(requests) == 1:
            return [error]
    return [answer for one in together for answer in _answered(work, [one])]
