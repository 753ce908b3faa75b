"""The process of a service: what it is made of, how it begins and how it ends."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import uvicorn

from regimetry.errors import ConfigError
from regimetry.runtime.changes import ChangeRule
from regimetry.runtime.model import RegimeModel
from regimetry.serve.app import Limits, Service
from regimetry.serve.folder import StateFolder
from regimetry.serve.live import LiveSeries, SeriesLimits
from regimetry.serve.replacement import Replacement
from regimetry.serve.server import CONNECTIONS, Connection, stopping
from regimetry.serve.streams import Streams
from regimetry.serve.subscribers import Subscribers
from regimetry.serve.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a server works.

    Attributes
    ----------
    limits : Limits
    threads : int
        Inferences at once.
    stop_timeout_s : int
        How long requests in flight may take once a signal has come.
    hosts : sequence of str or None
        As for :class:`~regimetry.serve.browsers.KnownCallers`.
    tokens : Tokens or None
        Whom to answer; ``None``: anyone.
    series : SeriesLimits
    rule : ChangeRule
        Which changes of regime are told.
    subscribers : int
        At once.
    folder : callable or None
        As for :class:`LiveSeries`.
    again : callable
        As for :class:`Replacement`.
    say : callable
        Takes what was decided, a sentence.
    """

    limits: Limits
    threads: int
    stop_timeout_s: int
    hosts: Sequence[str] | None = ()
    tokens: Tokens | None = None
    series: SeriesLimits
    rule: ChangeRule
    subscribers: int
    folder: Callable[[str], StateFolder] | None = None
    again: Callable[[], RegimeModel]
    say: Callable[[str], None]


def serve(model: RegimeModel, name: str, listener: socket.socket, options: Options) -> None:
    """Answer requests until SIGINT or SIGTERM, then finish those in flight and return.

    SIGHUP replaces the model by what its file holds then.

    Parameters
    ----------
    model : RegimeModel
    name : str
        Under which clients ask for it.
    listener : socket.socket
    options : Options

    Raises
    ------
    DataError
        The series of the folder cannot be restored, or another process uses it.
    """
    with (
        ThreadPoolExecutor(options.threads, thread_name_prefix="inference") as pool,
        ThreadPoolExecutor(1, thread_name_prefix="series") as one,
    ):
        service = Service(model, name, pool, options.limits)
        subscribers = Subscribers(options.subscribers)
        live = _live(model, options, subscribers)
        streams = Streams(service, live, subscribers, one)
        replacement = Replacement(service, live, options.again, pool, one)
        app = service.app(
            options.hosts,
            more=[*streams.routes(), *replacement.routes()],
            tokens=options.tokens,
            is_ready=streams.is_ready,
        )
        server = _Server(_config(app, options), subscribers, replacement)
        restoring = one.submit(_restore, live, options.say, server)
        try:
            with stopping(server):
                server.run(sockets=[listener])
        finally:
            if live is not None:
                one.submit(live.close).result()
        restoring.result()


def _live(model: RegimeModel, options: Options, subscribers: Subscribers) -> LiveSeries | None:
    try:
        return LiveSeries(
            model,
            limits=options.series,
            rule=options.rule,
            folder=options.folder,
            tell=subscribers.tell,
        )
    except ConfigError:
        if options.folder is not None:
            raise
        return None  # pushes are refused, and say why


def _restore(live: LiveSeries | None, say: Callable[[str], None], server: uvicorn.Server) -> None:
    """Restore while the socket is open already, and end the server if that fails."""
    if live is None:
        return
    try:
        said = live.restore()
    except BaseException:
        server.should_exit = True
        raise
    if said is not None:
        say(said)


def _config(app: Any, options: Options) -> uvicorn.Config:
    limits = options.limits
    return uvicorn.Config(
        app,
        http=type("Connection", (Connection,), {"write_timeout_s": limits.write_timeout_s}),
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=CONNECTIONS + limits.requests,
        timeout_keep_alive=limits.read_timeout_s,
        timeout_graceful_shutdown=options.stop_timeout_s,
    )


class _Server(uvicorn.Server):
    """uvicorn's, which minds SIGHUP and does not wait for subscribers at its end."""

    def __init__(
        self, config: uvicorn.Config, subscribers: Subscribers, replacement: Replacement
    ) -> None:
        super().__init__(config)
        self._subscribers, self._replacement = subscribers, replacement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sys.platform != "win32":
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._replacement.ask)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._subscribers.close()
        await super().shutdown(sockets)
