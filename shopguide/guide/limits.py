"""Bounds on what is sent: how long it is, and how long it takes."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class BodyLimit:
    """Answers 413 as soon as more bytes have come than there may be, whatever their header says, and 408 where they do
    not come in time.

    Args:
        app: the ASGI application behind.
        most: bytes of a body.
        seconds: in which it is to come.
    """

    def __init__(self, app: Callable[[Any, Receive, Send], Awaitable[None]], most: int, seconds: float) -> None:
        self._app, self._most, self._seconds = app, most, seconds

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await asyncio.wait_for(self._body(receive), self._seconds)
        except TimeoutError:
            await _refuse(send, 408, "the body did not come in time")
            return
        if body is None:
            await _refuse(send, 400, "the body ended before it was whole")  # to nobody, but it is counted
            return
        if len(body) > self._most:
            await _refuse(send, 413, f"the body is too long: expected at most {self._most} bytes")
            return
        given = False

        async def whole() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, whole, send)

    async def _body(self, receive: Receive) -> bytes | None:
        """The whole body, or as much as shows that it is too long; None: nobody is there any more."""
        body, more = bytearray(), True
        while more and len(body) <= self._most:
            message = await receive()
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return bytes(body)


async def _refuse(send: Send, status: int, words: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"error": words}).encode()})
