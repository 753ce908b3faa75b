"""The socket of a server, the time that its connections may take, and the signals that end it."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from regimetry.errors import ConfigError

if TYPE_CHECKING:
    import asyncio

CONNECTIONS = 512
"""Connections beyond those of ``Limits.requests``; a request on more is refused with 503."""


def listen(host: str, port: int, *, allow_remote: bool) -> socket.socket:
    """Open the socket.

    Parameters
    ----------
    host : str
        A name or an address.
    port : int
        0 takes a free one.
    allow_remote : bool
        Whether the address may be one that other machines reach.

    Raises
    ------
    ConfigError
        The address is unknown, taken, or not a loopback address although none other is allowed.
    """
    if not 0 <= port <= 65535:
        raise ConfigError(f"The port is {port}; it must be from 0 to 65535.")
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"The host {host!r} has no address ({error}).") from error
    family, kind, protocol, _, address = found[0]
    if not allow_remote and not ip_address(address[0]).is_loopback:
        raise ConfigError(
            f"The host {host!r} is {address[0]}, which other machines can reach, and the service "
            "encrypts nothing. Give --allow-remote to allow this."
        )
    # With its protocol named, unlike socket.create_server's: asyncio turns off the delay of small
    # packets (TCP_NODELAY) only then, and answers would wait for acknowledgements.
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere the option would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(CONNECTIONS)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"{address[0]} port {port} cannot be listened on ({error.strerror}). Choose another "
            "with --host or --port."
        ) from error
    return listener


class Connection(H11Protocol):
    """uvicorn's, closed where a request's head does not arrive in time, or an answer is not read.

    uvicorn itself waits for ever for the first byte, and once a byte has come, for the rest.
    """

    write_timeout_s = 10
    _late: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """Give a client that does not read its answer some time."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.write_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client reads."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._await_head(None)

    def on_response_complete(self) -> None:
        """Wait for the next head."""
        done = self.cycle
        super().on_response_complete()  # may begin the next request, if that has come already
        self._await_head(done)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        super().connection_lost(exc)
        for timer in (self._late, self._unread):
            if timer is not None:
                timer.cancel()

    def _await_head(self, last: Any) -> None:
        if self._late is not None:
            self._late.cancel()
        self._late = self.loop.call_later(self.timeout_keep_alive, self._close_if_idle, last)

    def _close_if_idle(self, last: Any) -> None:
        if self.cycle is last:
            self.timeout_keep_alive_handler()


@contextmanager
def stopping(server: uvicorn.Server) -> Iterator[None]:
    """Make a signal stop the server also before uvicorn minds it.

    Once it has stopped, uvicorn raises the signal again; then this is what keeps it from ending
    the process with the signal's own exit code.
    """

    def handle(number: int, frame: Any) -> None:
        server.should_exit = True

    before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for old, handler in before.items():
            signal.signal(old, handler)
