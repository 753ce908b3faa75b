"""Clients that show who they are: a token in the header of every request."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from regimetry.errors import ConfigError

ADMIN = "admin"
"""The client that may replace the model."""

CLIENT = "regimetry.client"
"""Where a scope says which client asks; absent where nobody has a token."""

_LEAST = 16  # characters; shorter ones can be tried out


class Tokens:
    """Which client a token belongs to.

    Parameters
    ----------
    clients : mapping of str to str
        From name to token.
    """

    def __init__(self, clients: Mapping[str, str]) -> None:
        self._sums = {name: _sum(token.encode()) for name, token in clients.items()}

    @classmethod
    def read(cls, path: Path) -> Tokens:
        """Read a file whose lines hold a client's name and its token, with a blank between.

        Empty lines, and those that begin with #, are passed over.

        Raises
        ------
        ConfigError
            It cannot be read, or a line is none of these, or a name or a token occurs twice.
        """
        clients: dict[str, str] = {}
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"The file of tokens cannot be read ({error}).") from error
        for number, line in enumerate(lines, 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if len(words) != 2 or len(words[1]) < _LEAST or not words[1].isascii():
                raise ConfigError(
                    f"{path}, line {number}: it must be a client's name and its token, of at least "
                    f"{_LEAST} characters of ASCII; `openssl rand -hex 32` makes one."
                )
            if words[0] in clients or words[1] in clients.values():
                raise ConfigError(
                    f"{path}, line {number}: the name or the token of {words[0]!r} occurs twice."
                )
            clients[words[0]] = words[1]
        if not clients:
            raise ConfigError(f"{path} names no client; give a line with a name and a token.")
        return cls(clients)

    def client(self, authorization: str) -> str | None:
        """Return the client of the header ``Authorization: Bearer TOKEN``, ``None`` if unknown.

        The time that it takes does not depend on the token.
        """
        scheme, _, token = authorization.partition(" ")
        given, found = _sum(token.strip().encode("latin-1", "replace")), None
        for name, known in self._sums.items():
            if hmac.compare_digest(given, known):
                found = name
        return found if scheme.lower() == "bearer" else None


def _sum(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


class KnownClients:
    """ASGI middleware that answers 401 to requests without a token, but for those on health."""

    def __init__(self, app: Any, tokens: Tokens) -> None:
        self._app, self._tokens = app, tokens

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, or hand on with the client's name in the scope."""
        if scope["type"] == "http" and not scope["path"].startswith("/v2/health/"):
            client = self._tokens.client(Headers(scope=scope).get("authorization", ""))
            if client is None:
                answer = JSONResponse(
                    {"error": "The request shows no token that this server knows; send the header "
                     "Authorization: Bearer TOKEN."},
                    401,
                    {"WWW-Authenticate": "Bearer", "Connection": "close"},
                )  # fmt: skip
                await answer(scope, receive, send)
                return
            scope[CLIENT] = client
        await self._app(scope, receive, send)
