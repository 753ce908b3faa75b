"""Who is told of changes of regime, by server-sent events; who does not read is dropped."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any

from starlette.responses import Response

from regimetry.serve.answers import Told
from regimetry.serve.tensors import RequestError

PENDING_BYTES = 1 << 20
"""What may wait for one subscriber besides the events of a single push."""

_BEAT_S = 15


class Subscriber:
    """One who is told of the changes of a series, or of all of a client's."""

    def __init__(self, client: str, series: str | None) -> None:
        self.key = client, series
        self.is_dropped = self.is_over = False
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._moved = asyncio.Event()

    def put(self, events: bytes) -> bool:
        """Let events wait; return whether they may."""
        if self._waiting and self._size + len(events) > PENDING_BYTES:
            self.is_dropped = True
            self.end()
            return False
        self._waiting.append(events)
        self._size += len(events)
        self._moved.set()
        return True

    def end(self) -> None:
        """Tell no more."""
        self.is_over = True
        self._moved.set()

    async def take(self) -> bytes:
        """Return what waits, as soon as something does; a comment at times; nothing at the end."""
        try:
            async with asyncio.timeout(_BEAT_S):
                await self._moved.wait()
        except TimeoutError:
            return b": still here\n\n"
        if self.is_over:
            return b""
        events = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        self._moved.clear()
        return events


class Subscribers:
    """All of them; :meth:`tell` is for any thread, the rest for the event loop's.

    Parameters
    ----------
    most : int
        At once.

    Attributes
    ----------
    count, changes, dropped : int
        Subscribers now; changes that the rule told; subscribers that were dropped since they did
        not read.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: dict[tuple[str, str | None], set[Subscriber]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.count = self.changes = self.dropped = 0

    def begin(self, client: str, series: str | None) -> Subscriber:
        """Return a new subscriber; :class:`RequestError` (429) if there are too many."""
        if self.count >= self._most:
            raise RequestError(
                f"{self.count} subscribers are being told, which is the limit. Try again.", 429
            )
        self._loop = asyncio.get_running_loop()
        one = Subscriber(client, series)
        self._of[one.key].add(one)
        self.count += 1
        return one

    def leave(self, one: Subscriber) -> None:
        """Forget a subscriber."""
        mine = self._of.get(one.key, set())
        if one in mine:
            mine.remove(one)
            self.count -= 1
            if not mine:
                del self._of[one.key]

    def tell(self, count: int, told: Callable[[], Sequence[Told]]) -> None:
        """Take the changes of a push, from any thread; ``told`` gives them if anyone is there."""
        self.changes += count
        if self._loop is not None and self.count:
            self._loop.call_soon_threadsafe(self._tell, told())

    def close(self) -> None:
        """End all."""
        for mine in self._of.values():
            for one in mine:
                one.end()

    def _tell(self, told: Sequence[Told]) -> None:
        events: dict[Subscriber, list[bytes]] = defaultdict(list)
        for client, series, change in told:
            whom = self._of.get((client, series), set()) | self._of.get((client, None), set())
            if whom:
                event = f"event: change\ndata: {json.dumps(change)}\n\n".encode()
                for one in whom:
                    events[one].append(event)
        for one, mine in events.items():
            if not one.put(b"".join(mine)):
                self.leave(one)
                self.dropped += 1


class EventStream(Response):
    """The answer to a subscriber: events until one of the two ends it."""

    media_type = "text/event-stream"

    def __init__(self, one: Subscriber, subscribers: Subscribers) -> None:
        super().__init__(headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._one, self._subscribers = one, subscribers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send events."""
        gone = asyncio.create_task(self._until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            events = b": changes of regime follow\n\n"
            while events:
                await send({"type": "http.response.body", "body": events, "more_body": True})
                events = await self._one.take()
            last = b"event: dropped\ndata: {}\n\n" if self._one.is_dropped else b""
            await send({"type": "http.response.body", "body": last, "more_body": False})
        finally:
            gone.cancel()
            self._subscribers.leave(self._one)

    async def _until_gone(self, receive: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._one.end()
