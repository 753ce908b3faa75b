"""The routes of the Open Inference Protocol V2 over one model, as an ASGI application."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from importlib.metadata import version
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from regimetry.errors import DataError
from regimetry.runtime.model import RegimeModel
from regimetry.serve.browsers import KnownCallers
from regimetry.serve.intake import HEADER_LENGTH, VERSION, Intake, Limits, require_model
from regimetry.serve.metrics import MeasuredRequests, Metrics
from regimetry.serve.protocol import decode_request, encode_response
from regimetry.serve.tensors import described, served
from regimetry.serve.tokens import KnownClients, Tokens

__all__ = ["Limits", "Service"]


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
        self.name, self.limits = name, limits
        self._pool = pool
        self._served = model, served(model)
        self.metrics = Metrics()
        self.metrics.describe(name, model.contract)
        self.intake = Intake(limits, self.metrics.in_flight)

    def use(self, model: RegimeModel) -> None:
        """Answer with another model from now on; requests that run are answered by the old one."""
        self._served = model, served(model)
        self.metrics.describe(self.name, model.contract)

    def app(
        self,
        hosts: Sequence[str] | None = (),
        *,
        more: Sequence[BaseRoute] = (),
        tokens: Tokens | None = None,
        is_ready: Callable[[], bool] = lambda: True,
    ) -> Starlette:
        """Return the ASGI application.

        Parameters
        ----------
        hosts : sequence of str or None
            As for :class:`KnownCallers`.
        more : sequence of BaseRoute
            Besides those of the protocol.
        tokens : Tokens or None
            Whom to answer; ``None``: anyone.
        is_ready : callable
            What ``/v2/health/ready`` says.
        """
        self._is_ready = is_ready
        model = "/v2/models/{name}"
        routes = [Route("/v2", self.server), Route("/metrics", self.expose)]
        routes += [Route(f"/v2/health/{path}", getattr(self, path)) for path in ("live", "ready")]
        for prefix in (model, model + "/versions/{version}"):
            routes += [
                Route(prefix, self.model),
                Route(prefix + "/ready", self.model_ready),
                Route(prefix + "/infer", self.infer, methods=["POST"]),
            ]
        app = Starlette(
            routes=[*routes, *more],
            middleware=[
                Middleware(MeasuredRequests, metrics=self.metrics),
                Middleware(KnownCallers, hosts=hosts),
                *([] if tokens is None else [Middleware(KnownClients, tokens=tokens)]),
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
        """Say that inference is possible, and series, if any are remembered, are restored."""
        ready = self._is_ready()
        return JSONResponse({"ready": ready}, 200 if ready else 503)

    async def model(self, request: Request) -> Response:
        """Describe the model; parameters hold what a client needs for the causal recursion."""
        require_model(request, self.name)
        model, signature = self._served
        contract = model.contract
        return JSONResponse(
            {
                "name": self.name,
                "versions": [VERSION],
                "platform": "onnxruntime_onnx",
                "inputs": [described(signature.input)],
                "outputs": [described(tensor) for tensor in signature.outputs],
                "parameters": {
                    "feature_names": json.dumps(model.schema.feature_names),
                    "regime_names": json.dumps([regime.name for regime in contract.regimes]),
                    "jump_penalty": contract.jump_penalty,
                    "sharpness": contract.sharpness,
                },
            }
        )

    async def model_ready(self, request: Request) -> Response:
        """Say that the model is ready."""
        require_model(request, self.name)
        return JSONResponse({"name": self.name, "ready": True})

    async def expose(self, request: Request) -> Response:
        """Give Prometheus the counts."""
        body, content_type = self.metrics.expose(request.headers.get("accept", ""))
        return Response(body, media_type=content_type)

    async def infer(self, request: Request) -> Response:
        """Run the model on the windows of a request."""
        require_model(request, self.name)
        length = request.headers.get(HEADER_LENGTH)
        return await self.intake.answer(
            request, self._pool, lambda body: self._answer(body, length)
        )

    def _answer(self, body: bytes, header_length: str | None) -> tuple[bytes, int | None]:
        model, signature = self._served
        request = decode_request(body, header_length, signature, self.limits.batch)
        self.metrics.windows.observe(len(request.window))
        with self.metrics.inference_seconds.time():
            arrays = model.run(request.window, list(request.outputs))
        return encode_response(request, arrays, self.name, VERSION)


def _error(
    request: Request, status: int, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    headers = dict(headers or {})
    if status == 408 or "expect" in request.headers:
        headers["Connection"] = "close"  # the rest of the body may never come
    if status in (429, 503):
        headers["Retry-After"] = "1"
    return JSONResponse({"error": message}, status, headers)


async def _refuse(request: Request, error: Exception) -> Response:
    return _error(request, getattr(error, "status", 400), str(error))


async def _refuse_route(request: Request, error: Any) -> Response:
    message = f"{request.method} {request.url.path}: {error.detail}."
    return _error(request, error.status_code, message, error.headers)


async def _fail(request: Request, error: Exception) -> Response:
    return _error(request, 500, "The server failed; its log says why.")
