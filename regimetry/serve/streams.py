"""The routes of live series: rows in, labels out; changes of regime for who subscribes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from regimetry.serve.app import Service
from regimetry.serve.intake import HEADER_LENGTH, require_model
from regimetry.serve.live import LiveSeries
from regimetry.serve.pushes import decode_push, encode_answers
from regimetry.serve.stream_metrics import StreamMetrics
from regimetry.serve.subscribers import EventStream, Subscribers
from regimetry.serve.table import require_name
from regimetry.serve.tensors import RequestError
from regimetry.serve.tokens import CLIENT

_T = TypeVar("_T")


class Streams:
    """Live series of a service.

    Parameters
    ----------
    service : Service
    live : LiveSeries or None
        ``None`` where the model's rules do not allow them.
    subscribers : Subscribers
    pool : Executor
        Of one thread, in which alone the series are used.
    """

    def __init__(
        self,
        service: Service,
        live: LiveSeries | None,
        subscribers: Subscribers,
        pool: Executor,
    ) -> None:
        self._service, self._live, self._subscribers = service, live, subscribers
        self._pool = pool
        self._metrics = StreamMetrics(service.metrics.registry, live, subscribers)

    def routes(self) -> list[Route]:
        """Return the routes, with and without the version of the model."""
        found = []
        for prefix in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
            streams = prefix + "/streams"
            found += [
                Route(streams + "/push", self.push, methods=["POST"]),
                Route(streams + "/events", self.events),
                Route(streams + "/{series}/push", self.push, methods=["POST"]),
                Route(streams + "/{series}/events", self.events),
                Route(streams + "/{series}", self.look, methods=["GET"]),
                Route(streams + "/{series}", self.drop, methods=["DELETE"]),
            ]
        return found

    def is_ready(self) -> bool:
        """Whether the series are restored."""
        return self._live is None or self._live.memory.is_ready

    async def push(self, request: Request) -> Response:
        """Take rows of the series that the path names, or that the body does."""
        live = self._require_live(request)
        length = request.headers.get(HEADER_LENGTH)
        series, client = request.path_params.get("series"), _client(request)

        def work(body: bytes) -> tuple[bytes, int | None]:
            live.memory.require_ready()
            push = decode_push(body, length, series)
            with self._metrics.seconds.time():
                answers = live.push(client, push.names, push.rows, push.times)
            self._metrics.rows.inc(len(push.names))
            return encode_answers(push, answers, self._service.name)

        return await self._service.intake.answer(request, self._pool, work)

    async def look(self, request: Request) -> Response:
        """Say where a series stands."""
        return JSONResponse(await self._of_series(request, LiveSeries.look))

    async def drop(self, request: Request) -> Response:
        """Remove a series."""
        await self._of_series(request, LiveSeries.drop)
        return JSONResponse({"series": request.path_params["series"], "dropped": True})

    async def events(self, request: Request) -> Response:
        """Tell changes of regime, of one series or of all of the client's, as they are found."""
        self._require_live(request)
        series = request.path_params.get("series")
        if series is not None:
            require_name(series)
        if request.method == "HEAD":
            return Response(media_type=EventStream.media_type)
        one = self._subscribers.begin(_client(request), series)
        return EventStream(one, self._subscribers)

    async def _of_series(self, request: Request, do: Callable[[LiveSeries, str, str], _T]) -> _T:
        live = self._require_live(request)
        live.memory.require_ready()
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, do, live, _client(request), request.path_params["series"]
        )

    def _require_live(self, request: Request) -> LiveSeries:
        require_model(request, self._service.name)
        if self._live is None:
            raise RequestError(
                "The model gathers rows in bins, which series of a service do not; send windows, "
                "or run `regimetry stream`.",
                501,
            )
        return self._live


def _client(request: Request) -> str:
    name: Any = request.scope.get(CLIENT, "")
    return str(name)
