"""Clients that are slow, do not read, or are a page in somebody's browser; over loopback alone."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.attack import Attack, Place, python

SLOW = 80
"""Connections that never end their body; a server has 64 places."""

_SERVE = """
import sys
from regimetry.cli import main
from regimetry.serve.browsers import KnownCallers
if sys.argv[2] == "True":
    KnownCallers._refusal = lambda *_: None
raise SystemExit(main(["serve", sys.argv[1], "--name", "m", "--port", "0", "--device", "cpu"]))
"""


@contextmanager
def _served(place: Place, planted: bool) -> Iterator[int]:
    """Run a server; yield its port."""
    with subprocess.Popen(
        python(_SERVE, place.model, planted),
        stderr=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        try:
            yield int(re.search(r":(\d+);", server.stderr.readline())[1])
        finally:
            server.terminate()


def _asked(port: int, body: bytes = b"{}", **headers: str) -> int:
    """Return the status of a request for inference."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", "/v2/models/m/infer", body, named)
        return connection.getresponse().status
    finally:
        connection.close()


def _windows(place: Place) -> bytes:
    golden = json.loads(place.model.with_suffix(".golden.json").read_text())
    windows = golden["window"]
    shape = [len(windows), len(windows[0]), len(windows[0][0])]
    entry = {"name": "window", "datatype": "FP32", "shape": shape, "data": windows}
    return json.dumps({"inputs": [entry]}).encode()


def slow_clients(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """Hold bodies and answers, and ask as a page would; planted: nobody looks at the host."""
    body = _windows(place)
    head = (
        "POST /v2/models/m/infer HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    with _served(place, planted) as port:
        for number in range(tries):
            with ExitStack() as held:
                for which in range(SLOW):
                    one = held.enter_context(socket.create_connection(("127.0.0.1", port), 20))
                    one.sendall(head + (body if which % 8 == 0 else body[:100]))  # never read
                begun = time.perf_counter()
                status, took = _asked(port), 0.0
                took = time.perf_counter() - begun
            answered = status in (400, 429) and took < 10
            yield None if answered else f"round {number}: {status} after {took:.1f} s"
            for name, value, expected in (
                ("Host", "evil.example", 421),
                ("Origin", "https://evil.example", 403),
                ("Content_Type", "text/plain", 415),
            ):
                status = _asked(port, **{name: value})
                wrong = f"round {number}: {name} {value} has the answer {status}"
                yield None if status == expected else wrong


ATTACKS = (Attack("slow clients", 5, slow_clients),)
