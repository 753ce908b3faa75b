"""The routes of the Open Inference Protocol V2 over one model, as an ASGI application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from regimetry.errors import DataError
from regimetry.runtime.model import RegimeModel
from regimetry.serve.browsers import KnownCallers
from regimetry.serve.metrics import MeasuredRequests, Metrics
from regimetry.serve.protocol import decode_request, encode_response
from regimetry.serve.tensors import RequestError, described, served

VERSION = "1"
"""Of the model: a server has one."""

_HEADER_LENGTH = "Inference-Header-Content-Length"
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


class Service:
    """One model under one name.

    Parameters
    ----------
    model : RegimeModel
    name : str
    pool : Executor
        Where requests are decoded, run and encoded, so that the event loop stays free.
    limits : Limits
    """

    def __init__(self, model: RegimeModel, name: str, pool: Executor, limits: Limits) -> None:
        self._model = model
        self._name = name
        self._pool = pool
        self._limits = limits
        self._signature = served(model)
        self._in_flight = self._arriving = 0
        self._metrics = Metrics(name=name, fingerprint=model.contract.training.fingerprint)

    def app(self, hosts: Sequence[str] | None = ()) -> Starlette:
        """Return the ASGI application; ``hosts`` as for :class:`KnownCallers`."""
        model = "/v2/models/{name}"
        routes = [Route("/v2", self.server), Route("/metrics", self.metrics)]
        routes += [Route(f"/v2/health/{path}", getattr(self, path)) for path in ("live", "ready")]
        for prefix in (model, model + "/versions/{version}"):
            routes += [
                Route(prefix, self.model),
                Route(prefix + "/ready", self.model_ready),
                Route(prefix + "/infer", self.infer, methods=["POST"]),
            ]
        app = Starlette(
            routes=routes,
            middleware=[
                Middleware(MeasuredRequests, metrics=self._metrics),
                Middleware(KnownCallers, hosts=hosts),
            ],
            exception_handlers={
                DataError: _refuse,
                HTTPException: _refuse_route,
                Exception: _fail,
            },
        )
        app.router.redirect_slashes = False
        return app

    async def server(self, request: Request) -> Response:
        """Say what this server is."""
        return JSONResponse(
            {
                "name": "regimetry",
                "version": version("regimetry"),
                "extensions": ["binary_tensor_data"],
            }
        )

    async def live(self, request: Request) -> Response:
        """Say that the process answers."""
        return JSONResponse({"live": True})

    async def ready(self, request: Request) -> Response:
        """Say that inference is possible: the model was loaded before the socket was opened."""
        return JSONResponse({"ready": True})

    async def model(self, request: Request) -> Response:
        """Describe the model; parameters hold what a client needs for the causal recursion."""
        self._require_model(request)
        contract = self._model.contract
        return JSONResponse(
            {
                "name": self._name,
                "versions": [VERSION],
                "platform": "onnxruntime_onnx",
                "inputs": [described(self._signature.input)],
                "outputs": [described(tensor) for tensor in self._signature.outputs],
                "parameters": {
                    "feature_names": json.dumps(self._model.schema.feature_names),
                    "regime_names": json.dumps([regime.name for regime in contract.regimes]),
                    "jump_penalty": contract.jump_penalty,
                    "sharpness": contract.sharpness,
                },
            }
        )

    async def model_ready(self, request: Request) -> Response:
        """Say that the model is ready."""
        self._require_model(request)
        return JSONResponse({"name": self._name, "ready": True})

    async def metrics(self, request: Request) -> Response:
        """Give Prometheus the counts."""
        body, content_type = self._metrics.expose(request.headers.get("accept", ""))
        return Response(body, media_type=content_type)

    async def infer(self, request: Request) -> Response:
        """Run the model on the windows of a request."""
        self._require_model(request)
        encoding = request.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise RequestError(
                f"The body is encoded as {encoding[:40]!r}; send it without compression.", 415
            )
        with self._metrics.in_flight.track_inprogress():
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
                length = request.headers.get(_HEADER_LENGTH)
                answer, header_length = await asyncio.get_running_loop().run_in_executor(
                    self._pool, self._answer, body, length
                )
            except BaseException:
                self._free_place()
                raise
        headers = {} if header_length is None else {_HEADER_LENGTH: str(header_length)}
        kind = "application/json" if header_length is None else "application/octet-stream"
        return _Answer(answer, self._free_place, headers=headers, media_type=kind)

    def _free_place(self) -> None:
        self._in_flight -= 1

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

    def _answer(self, body: bytes, header_length: str | None) -> tuple[bytes, int | None]:
        request = decode_request(body, header_length, self._signature, self._limits.batch)
        self._metrics.windows.observe(len(request.window))
        with self._metrics.inference_seconds.time():
            arrays = self._model.run(request.window, list(request.outputs))
        answer, length = encode_response(request, arrays, self._name, VERSION)
        if len(answer) > self._limits.response_bytes:
            raise RequestError(
                f"The answer has {len(answer)} bytes; {self._limits.response_bytes} are allowed. "
                "Send fewer windows, ask for fewer outputs, or for binary tensors.",
                413,
            )
        return answer, length

    def _require_model(self, request: Request) -> None:
        name, number = request.path_params["name"], request.path_params.get("version", VERSION)
        if name != self._name:
            raise RequestError(
                f"There is no model {name[:80]!r}; this server has {self._name!r}.", 404
            )
        if number != VERSION:
            raise RequestError(
                f"There is no version {number[:80]!r}; this server has {VERSION!r}.", 404
            )


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


def _error(
    request: Request, status: int, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    headers = dict(headers or {})
    if status == 408 or "expect" in request.headers:
        headers["Connection"] = "close"  # the rest of the body may never come
    if status == 429:
        headers["Retry-After"] = "1"
    return JSONResponse({"error": message}, status, headers)


async def _refuse(request: Request, error: Exception) -> Response:
    return _error(request, getattr(error, "status", 400), str(error))


async def _refuse_route(request: Request, error: Any) -> Response:
    message = f"{request.method} {request.url.path}: {error.detail}."
    return _error(request, error.status_code, message, error.headers)


async def _fail(request: Request, error: Exception) -> Response:
    return _error(request, 500, "The server failed; its log says why.")
