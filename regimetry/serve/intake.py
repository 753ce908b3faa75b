"""Requests before anyone works on them: their body within the limits, and their place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from prometheus_client import Gauge
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from regimetry.serve.tensors import RequestError

VERSION = "1"
"""Of the model: a server has one."""

HEADER_LENGTH = "Inference-Header-Content-Length"
_CLIENT_GONE = 499
_GRACE_S, _LEAST_RATE = 5, 16384


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much the service takes on.

    Attributes
    ----------
    request_bytes : int
        Of one body.
    batch : int
        Windows of one request.
    requests : int
        Inference requests at once, from the end of their body until their answer is read; more are
        refused with 429.
    read_timeout_s : int
        From the head of a request to the end of its body; also for a head to arrive.
    response_bytes : int
        Of one answer.
    write_timeout_s : int
        How long a client may leave an answer unread.
    body_bytes : int
        Of all bodies that are arriving; more are refused with 429.
    """

    request_bytes: int = 4 << 20
    batch: int = 1024
    requests: int = 64
    read_timeout_s: int = 10
    response_bytes: int = 32 << 20
    write_timeout_s: int = 10
    body_bytes: int = 256 << 20


class Intake:
    """Reads bodies, and lets so many requests be worked on at once.

    Parameters
    ----------
    limits : Limits
    in_flight : Gauge
        Counts requests from before their body is read until they are answered.
    """

    def __init__(self, limits: Limits, in_flight: Gauge) -> None:
        self._limits, self._gauge = limits, in_flight
        self._in_flight = self._arriving = 0

    async def answer(
        self,
        request: Request,
        pool: Executor,
        work: Callable[[bytes], tuple[bytes, int | None]],
    ) -> Response:
        """Read the body, do the work in the pool, and hold a place until the answer is read.

        Parameters
        ----------
        request : Request
        pool : Executor
        work : callable
            From a body to an answer, and the length of its JSON object where data follow that.

        Raises
        ------
        RequestError
            A limit is passed; and what ``work`` raises.
        """
        encoding = request.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise RequestError(
                f"The body is encoded as {encoding[:40]!r}; send it without compression.", 415
            )
        with self._gauge.track_inprogress():
            try:
                body = await self._body(request)
            except ClientDisconnect:
                return Response(status_code=_CLIENT_GONE)
            if self._in_flight >= self._limits.requests:
                raise RequestError(
                    f"{self._in_flight} requests are being answered, which is the limit. Try "
                    "again.",
                    429,
                )
            self._in_flight += 1
            try:
                answer, header_length = await asyncio.get_running_loop().run_in_executor(
                    pool, work, body
                )
                self._require_short(answer)
            except BaseException:
                self._free_place()
                raise
        headers = {} if header_length is None else {HEADER_LENGTH: str(header_length)}
        kind = "application/json" if header_length is None else "application/octet-stream"
        return _Answer(answer, self._free_place, headers=headers, media_type=kind)

    def _free_place(self) -> None:
        self._in_flight -= 1

    def _require_short(self, answer: bytes) -> None:
        if len(answer) > self._limits.response_bytes:
            raise RequestError(
                f"The answer has {len(answer)} bytes; {self._limits.response_bytes} are allowed. "
                "Send fewer windows, ask for fewer outputs, or for binary tensors.",
                413,
            )

    async def _body(self, request: Request) -> bytes:
        """Read a body within the limits of size, of time, and of all bodies together."""
        body = bytearray()
        try:
            async for chunk in _chunks(request, self._limits):
                body += chunk
                self._arriving += len(chunk)
                if self._arriving > self._limits.body_bytes:
                    raise RequestError("Too many bodies arrive at once. Try again.", 429)
            return bytes(body)
        finally:
            self._arriving -= len(body)


class _Answer(Response):
    """A response that gives its place back once it is read, or the client is gone."""

    def __init__(self, content: bytes, done: Callable[[], None], **rest: Any) -> None:
        super().__init__(content, **rest)
        self._done = done

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            head = {"status": self.status_code, "headers": self.raw_headers}
            await send({"type": "http.response.start", **head})
            await send({"type": "http.response.body", "body": self.body, "more_body": True})
            # The server sends this once the client has read most of the body.
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._done()


async def _chunks(request: Request, limits: Limits) -> AsyncIterator[bytes]:
    """Yield a body as it arrives, within the limits of size, time and rate."""
    loop, size = asyncio.get_running_loop(), 0
    begun = loop.time()
    stream = request.stream().__aiter__()
    if int(request.headers.get("content-length", "0")) > limits.request_bytes:
        raise _too_long(limits)
    while True:
        # A body that comes slower than this would hold its connection for long.
        patience = min(_GRACE_S + size / _LEAST_RATE, limits.read_timeout_s)
        try:
            async with asyncio.timeout_at(begun + patience):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise RequestError(
                f"The body did not arrive within {limits.read_timeout_s} seconds, or slower than "
                f"{_LEAST_RATE} bytes a second.",
                408,
            ) from error
        if chunk is None:
            return
        size += len(chunk)
        if size > limits.request_bytes:
            raise _too_long(limits)
        yield chunk


def _too_long(limits: Limits) -> RequestError:
    return RequestError(
        f"The body has more than {limits.request_bytes} bytes, which is the limit. Send fewer "
        "windows per request, or binary tensors.",
        413,
    )


def require_model(request: Request, known: str) -> None:
    """Raise :class:`RequestError` (404) unless the path names the model and its version."""
    name, number = request.path_params["name"], request.path_params.get("version", VERSION)
    if name != known:
        raise RequestError(f"There is no model {name[:80]!r}; this server has {known!r}.", 404)
    if number != VERSION:
        raise RequestError(
            f"There is no version {number[:80]!r}; this server has {VERSION!r}.", 404
        )
