"""What the service counts, for Prometheus."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder

from regimetry.contract import ModelContract

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_WINDOWS = tuple(2**i for i in range(15))


class Metrics:
    """One registry a service, so that two in one process do not share their counts.

    Attributes
    ----------
    requests : Counter
        By route and status.
    seconds : Histogram
        Of a request, by route.
    inference_seconds, windows : Histogram
        Of the graph alone, and windows per request.
    in_flight : Gauge
        Inference requests and pushes, from before their body is read.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._model = Info("regimetry_model", "The model that is served.", registry=self.registry)
        self.requests = Counter(
            "regimetry_requests",
            "Requests by route and status; 400 and above are errors, 499 a client that went away.",
            ["route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "regimetry_request_seconds",
            "From the head of a request to the end of its response.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.inference_seconds = Histogram(
            "regimetry_inference_seconds",
            "The graph alone.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.windows = Histogram(
            "regimetry_request_windows",
            "Windows of an inference request.",
            buckets=_WINDOWS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "regimetry_requests_in_flight",
            "Inference requests and pushes being read, waiting or run.",
            registry=self.registry,
        )

    def describe(self, name: str, contract: ModelContract) -> None:
        """Say which model is served."""
        self._model.info({"name": name, "fingerprint": contract.training.fingerprint})

    def expose(self, accept: str) -> tuple[bytes, str]:
        """Return the counts and their content type, in the format that the scraper accepts."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type


class MeasuredRequests:
    """An ASGI application whose requests are counted under the name of their route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        start = time.perf_counter()
        try:
            await self._app(scope, receive, watch)
        finally:
            endpoint: Any = scope.get("endpoint")
            route = "none" if endpoint is None else endpoint.__name__
            self._metrics.requests.labels(route, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - start)
