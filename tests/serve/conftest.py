import http.client
import json
import re
import socket
import subprocess
import sys
from contextlib import closing, contextmanager

import numpy as np
import pytest
from places import MODEL

INFER = "/v2/models/sp500/infer"


class Server:
    """`regimetry serve` in a process of its own, on a free loopback port."""

    def __init__(self, *arguments, model=MODEL):
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-m", "regimetry", "serve", str(model), "--port", "0",
             "--device", "cpu", *arguments],
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        self.greeting = self.process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+);", self.greeting)
        assert found, self.greeting + self.process.stderr.read()
        self.port = int(found[1])
        self.url = f"127.0.0.1:{self.port}"

    def _ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with closing(connection):
            connection.request(method, path, body, headers or {})
            with connection.getresponse() as response:
                return response.status, response.headers, response.read()

    def ask(self, *request):
        """Return status, headers and the JSON of one request on a connection of its own."""
        status, headers, body = self._ask(*request)
        return status, headers, json.loads(body)

    def infer(self, request, tail=b"", **headers):
        """Send an inference request; with a tail, as a header and binary data."""
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        if tail:
            headers.setdefault("Inference-Header-Content-Length", str(len(body)))
        return self.ask("POST", INFER, body + tail, headers)

    def metrics(self):
        """Return what /metrics says, by series."""
        text = self._ask("GET", "/metrics")[2].decode()
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {series: float(value) for series, _, value in lines}

    def connect(self):
        """Open a bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def stop(self, number):
        """Send a signal; return exit code and what was said since the greeting."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        return code, self.process.stderr.read()


@contextmanager
def serving(*arguments, **how):
    server = Server(*arguments, **how)
    with server.process:
        try:
            yield server
        finally:
            server.process.kill()


@pytest.fixture(scope="session")
def start():
    """Starts a server with arguments of its own."""
    return serving


@pytest.fixture(scope="session")
def server():
    """A server with the limits that are the default, shared by tests that leave it as it was."""
    with serving() as found:
        yield found


@pytest.fixture(scope="session")
def windows():
    """64 windows (N, 37, 2) of the golden file."""
    content = json.loads(MODEL.with_suffix(".golden.json").read_text())
    return np.array(content["window"], dtype=np.float32)


@pytest.fixture(scope="session")
def request_of():
    """Builds the JSON of a request for windows."""

    def build(windows, **entries):
        entry = {"name": "window", "shape": list(windows.shape), "datatype": "FP32"}
        return {"inputs": [entry | {"data": windows.ravel().tolist()}], **entries}

    return build


@pytest.fixture(scope="session")
def bytes_of(request_of):
    """Builds the bytes of a POST, head and all."""

    def build(windows):
        body = json.dumps(request_of(windows)).encode()
        head = f"POST {INFER} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    return build
