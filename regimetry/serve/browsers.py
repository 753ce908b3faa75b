"""Requests that a page in somebody's browser sends, which its user knows nothing of.

A page may send a simple POST anywhere; and once its own name is made to mean this machine (DNS
rebinding), it may read answers too. Such requests carry a foreign ``Origin``, a foreign ``Host``,
or a type of content that a form can have.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

_TYPES = ("", "application/json", "application/octet-stream", "application/vnd.apache.arrow.stream")


class KnownCallers:
    """ASGI middleware that answers 4xx to what only a browser's page would send.

    Parameters
    ----------
    app : ASGI application
    hosts : sequence of str or None
        Names that ``Host`` and ``Origin`` may have besides loopback addresses; ``None``: every
        name, and ``Origin`` must have that of ``Host``.
    """

    def __init__(self, app: Any, hosts: Sequence[str] | None = ()) -> None:
        self._app = app
        self._hosts = None if hosts is None else {host.lower() for host in hosts}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, or hand on."""
        found = self._refusal(Headers(scope=scope)) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        status, message = found
        answer = JSONResponse({"error": message}, status, {"Connection": "close"})
        await answer(scope, receive, send)

    def _refusal(self, headers: Headers) -> tuple[int, str] | None:
        # A client of HTTP/1.0 gives no host; a browser always does.
        host, origin = headers.get("host", "localhost"), headers.get("origin")
        if "transfer-encoding" in headers and "content-length" in headers:
            return 400, "The request has Transfer-Encoding and Content-Length; give one of them."
        if not self._knows(host):
            return 421, (
                f"The request is for the host {host[:80]!r}, which this server does not know. Name "
                "it with --allow-host."
            )
        if origin is not None and not self._is_own(origin, host):
            return 403, f"Pages of {origin[:80]!r} may not ask this server."
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _TYPES:
            return 415, (
                f"The body is {kind[:80]!r}; send application/json or application/octet-stream."
            )
        return None

    def _is_own(self, origin: str, host: str) -> bool:
        place = urlsplit(origin).netloc
        return bool(place) and (place == host if self._hosts is None else self._knows(place))

    def _knows(self, place: str) -> bool:
        if self._hosts is None:
            return True
        try:
            name = (urlsplit(f"//{place}").hostname or "").lower()
        except ValueError:
            return False
        if name in self._hosts or name == "localhost":
            return True
        try:
            return ip_address(name).is_loopback
        except ValueError:
            return False
