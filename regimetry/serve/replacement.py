"""Another model in place of the one that is served, while it is served."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from regimetry.errors import RegimetryError
from regimetry.runtime.model import RegimeModel
from regimetry.serve.app import Service
from regimetry.serve.intake import require_model
from regimetry.serve.live import LiveSeries
from regimetry.serve.tensors import RequestError
from regimetry.serve.tokens import ADMIN, CLIENT

_LOGGER = logging.getLogger("regimetry")

_WHAT = {
    "state": "its series go on with all they had",
    "rows": "its series begin anew with the rows of their last window",
    "nothing": "its series begin anew without rows",
}


class Replacement:
    """Opens the model file again, and goes on with it if it is sound.

    Parameters
    ----------
    service : Service
    live : LiveSeries or None
    again : callable
        Opens the file and checks it; raises :class:`RegimetryError` where it may not be served.
    opening, pool : Executor
        Where the file is opened, and the one in which the series are used.
    """

    def __init__(
        self,
        service: Service,
        live: LiveSeries | None,
        again: Callable[[], RegimeModel],
        opening: Executor,
        pool: Executor,
    ) -> None:
        self._service, self._live, self._again = service, live, again
        self._opening, self._pool = opening, pool
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def routes(self) -> list[Route]:
        """Return the route of the admin."""
        return [Route("/v2/models/{name}/replace", self.replace, methods=["POST"])]

    async def replace(self, request: Request) -> Response:
        """Replace the model for the client that may."""
        require_model(request, self._service.name)
        if request.scope.get(CLIENT) != ADMIN:
            raise RequestError(
                f"Only the client {ADMIN!r} of --token-file may replace the model; or send SIGHUP "
                "to the process.",
                403,
            )
        try:
            sha256, how = await self._replaced()
        except RegimetryError as error:
            status = getattr(error, "status", 409)
            raise RequestError(f"The old model goes on: {error}", status) from error
        return JSONResponse({"sha256": sha256, "carried": how, "meaning": _WHAT[how]})

    def ask(self) -> None:
        """Replace the model for a signal; say what became of it in the log."""
        self._task = asyncio.get_running_loop().create_task(self._logged())

    async def _logged(self) -> None:
        try:
            sha256, how = await self._replaced()
        except RegimetryError as error:
            _LOGGER.warning("The old model goes on: %s", error)
        else:
            _LOGGER.warning("The model %s is served; %s.", sha256, _WHAT[how])

    async def _replaced(self) -> tuple[str, str]:
        """Return the sum of the new file, and what its series go on with."""
        if self._lock.locked():
            raise RequestError("The model is being replaced. Try again.", 409)
        loop, how = asyncio.get_running_loop(), "nothing"
        async with self._lock:
            model = await loop.run_in_executor(self._opening, self._again)
            if self._live is not None:
                how = await loop.run_in_executor(self._pool, self._live.replace, model)
            self._service.use(model)
        return model.sha256, how
