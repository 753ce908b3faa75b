"""How much the service takes on, whom it listens to, and how it ends."""

import asyncio
import http.client
import json
import signal
import socket
import time

import pytest
from blocked import run_blocked
from places import MODEL
from uvicorn.protocols.http.flow_control import FlowControl

from regimetry.errors import ConfigError
from regimetry.serve.server import CONNECTIONS, Connection, listen


def answer_of(connection):
    """Return status, headers and JSON of the response that a bare connection holds."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.headers, json.loads(response.read())


def wait_for(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("It did not happen within 30 seconds.")


def is_well(server):
    with server.connect() as connection:
        connection.sendall(b"GET /v2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return connection.recv(100).startswith(b"HTTP/1.1 200 ")


def is_closed(connection):
    """Wait for the other end to close; a byte is not an end."""
    return connection.recv(1) == b""


def test_a_body_over_the_limit_is_refused(start, windows, request_of):
    body = json.dumps(request_of(windows)).encode()
    with start("--max-request-bytes", str(len(body))) as server:
        assert server.infer(body)[0] == 200
        status, _, answer = server.infer(body + b" ")
        assert status == 413
        assert f"more than {len(body)} bytes" in answer["error"]
        in_parts = (body[i : i + 1000] for i in range(0, len(body), 1000))
        assert server.ask("POST", "/v2/models/sp500/infer", in_parts)[0] == 200  # chunked
        in_parts = (part for part in (body, b" " * 100_000))
        assert server.ask("POST", "/v2/models/sp500/infer", in_parts)[0] == 413
        with server.connect() as connection:  # one who asks first is not kept waiting
            connection.sendall(
                b"POST /v2/models/sp500/infer HTTP/1.1\r\nHost: localhost\r\n"
                b"Expect: 100-continue\r\nContent-Length: 999999999\r\n\r\n"
            )
            status, headers, _ = answer_of(connection)
            assert (status, headers["connection"]) == (413, "close")
            assert is_closed(connection)


def test_a_batch_over_the_limit_is_refused(start, windows, request_of):
    with start("--max-batch", "3") as server:
        assert server.infer(request_of(windows[:3]))[0] == 200
        status, _, answer = server.infer(request_of(windows[:4]))
        assert status == 400
        assert "has 4 windows; this server takes 3 at most" in answer["error"]


def test_a_body_that_is_arriving_takes_no_place(start, windows, bytes_of):
    sent = bytes_of(windows)
    with start("--max-requests", "1") as server, server.connect() as slow:
        slow.sendall(sent[:-1])
        wait_for(lambda: server.metrics()["regimetry_requests_in_flight"] == 1)
        assert server.infer(b"{}")[0] == 400
        assert server.ask("GET", "/v2/health/ready")[0] == 200
        slow.sendall(sent[-1:])
        assert answer_of(slow)[0] == 200
        assert server.infer(b"{}")[0] == 400  # its place is free again


def test_slow_requests_are_ended(start, windows, bytes_of):
    sent = bytes_of(windows)
    with start("--read-timeout", "1") as server:
        with server.connect() as silent, server.connect() as half_head, server.connect() as half:
            half_head.sendall(sent[:20])
            half.sendall(sent[:-1])
            status, headers, answer = answer_of(half)
            assert (status, headers["connection"]) == (408, "close")
            assert "did not arrive within 1 seconds" in answer["error"]
            assert all(map(is_closed, (silent, half_head, half)))
        with server.connect() as kept:  # a connection that serves is kept, then closed when idle
            for _ in range(2):
                kept.sendall(sent)
                assert answer_of(kept)[0] == 200
            kept.sendall(sent[:20])
            assert is_closed(kept)
        assert server.metrics()["regimetry_requests_in_flight"] == 0


def test_a_client_that_goes_away_frees_its_place(start, windows, bytes_of):
    with start("--max-requests", "1") as server:
        with server.connect() as gone:
            gone.sendall(bytes_of(windows)[:-1])
            wait_for(lambda: server.metrics()["regimetry_requests_in_flight"] == 1)
        wait_for(lambda: server.metrics()["regimetry_requests_in_flight"] == 0)
        wait_for(lambda: 'regimetry_requests_total{route="infer",status="499"}' in server.metrics())
        assert server.infer(b"{}")[0] == 400
        assert server.stop(signal.SIGTERM) == (0, "")


def test_connections_over_the_limit_are_refused(start):
    with start("--max-requests", "1") as server:
        held = [server.connect() for _ in range(CONNECTIONS)]
        try:
            with server.connect() as last:
                last.sendall(b"GET /v2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert last.recv(100).startswith(b"HTTP/1.1 503 ")
        finally:
            for connection in held:
                connection.close()
        wait_for(lambda: is_well(server))


def test_what_is_not_http_is_refused(server, windows, request_of):
    for sent in (b"\x16\x03\x01\x02\x00", b"GET / HTTP/9\r\n\r\n", b"x" * 100_000):
        with server.connect() as connection:
            connection.sendall(sent + b"\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
    assert server.infer(request_of(windows[:1]))[0] == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_requests_finish_and_no_new_ones_in(start, windows, bytes_of, number):
    sent = bytes_of(windows)
    with start() as server, server.connect() as busy, server.connect() as idle:
        idle.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer_of(idle)[0] == 200
        busy.sendall(sent[:-1])
        wait_for(lambda: server.metrics()["regimetry_requests_in_flight"] == 1)
        server.process.send_signal(number)
        assert is_closed(idle)

        def refuses():
            try:
                server.connect().close()
            except ConnectionRefusedError:
                return True
            return False

        wait_for(refuses)
        assert server.process.poll() is None
        busy.sendall(sent[-1:])
        status, _, answer = answer_of(busy)
        assert (status, len(answer["outputs"])) == (200, 4)
        assert is_closed(busy)
        assert server.process.wait(timeout=60) == 0
        assert server.process.stderr.read() == ""


def test_a_request_that_never_ends_does_not_keep_the_server(start, windows, bytes_of):
    with start("--stop-timeout", "1", "--read-timeout", "60") as server, server.connect() as busy:
        busy.sendall(bytes_of(windows)[:-1])
        wait_for(lambda: server.metrics()["regimetry_requests_in_flight"] == 1)
        code, said = server.stop(signal.SIGTERM)
        assert code == 0
        assert "timeout graceful shutdown exceeded" in said


def test_only_loopback_is_listened_on_unless_told(refuses):
    for host in ("0.0.0.0", "::", ""):
        refuses("--allow-remote", "serve", MODEL, "--host", host, "--port", "0")
    for host in ("127.0.0.1", "localhost"):
        with listen(host, 0, allow_remote=False) as listener:
            assert listener.getsockname()[0] in ("127.0.0.1", "::1")
    with listen("0.0.0.0", 0, allow_remote=True) as listener:
        assert listener.getsockname()[0] == "0.0.0.0"


def test_answers_are_not_held_back_for_more():
    """Nagle's algorithm is off; with it, the end of an answer waits for an acknowledgement."""

    async def connect():
        accepted = asyncio.get_running_loop().create_future()

        class Protocol(asyncio.Protocol):
            def connection_made(self, transport):
                accepted.set_result(transport.get_extra_info("socket"))
                self.transport = transport

        server = await asyncio.get_running_loop().create_server(
            Protocol, sock=listen("127.0.0.1", 0, allow_remote=False)
        )
        async with server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            option = (await accepted).getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writer.close()
            await writer.wait_closed()
            return option

    assert asyncio.run(connect()) != 0


def test_bad_usage_is_refused_in_one_sentence(server, tmp_path, refuses):
    for message, *arguments in (
        ("no model file", tmp_path / "none.onnx"),
        ("cannot be listened on", MODEL, "--port", server.port),
        ("must be from 0 to 65535", MODEL, "--port", "70000"),
        ("has no address", MODEL, "--host", "no.such.host.invalid"),
        ("--threads is 0", MODEL, "--threads", "0"),
        ("--max-batch is 0", MODEL, "--max-batch", "0"),
        ("without a slash", MODEL, "--name", "a/b"),
    ):
        refuses(message, "serve", *arguments)
    with pytest.raises(ConfigError, match="must be from 0"):
        listen("127.0.0.1", -1, allow_remote=False)


def test_the_extra_is_asked_for_where_it_is_missing():
    code = "from regimetry.cli import main; sys.exit(main(['serve', 'm.onnx']))"
    result = run_blocked(code, ["starlette"])
    assert (result.returncode, "pip install 'regimetry[serve]'" in result.stderr) == (2, True)


def test_bodies_that_arrive_together_have_a_limit(start, windows, bytes_of):
    sent = bytes_of(windows)
    with start("--max-body-bytes", str(len(sent))) as server, server.connect() as slow:
        slow.sendall(sent[:-1])
        wait_for(lambda: server.metrics()["regimetry_requests_in_flight"] == 1)
        with server.connect() as other:
            other.sendall(sent)
            status, headers, _ = answer_of(other)
            assert (status, headers["retry-after"]) == (429, "1")


def test_an_answer_over_the_limit_is_refused(start, windows, request_of):
    with start("--max-response-bytes", "500") as server:
        status, _, answer = server.infer(request_of(windows))
        assert status == 413
        assert "500 are allowed" in answer["error"]


class Transport:
    aborted = False

    def abort(self):
        self.aborted = True

    def __getattr__(self, name):
        return lambda *_: None


@pytest.mark.parametrize("reads", [False, True])
def test_a_client_that_does_not_read_is_left(reads):
    async def run():
        connection, transport = object.__new__(Connection), Transport()
        connection.loop, connection.transport = asyncio.get_running_loop(), transport
        connection.flow = FlowControl(transport)
        connection.write_timeout_s = 0.01
        connection.pause_writing()
        if reads:
            connection.resume_writing()
        await asyncio.sleep(0.05)
        return transport.aborted

    assert asyncio.run(run()) is not reads


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("Host: evil.example", 421),
        ("Host: evil.example:8000", 421),
        ("Host: localhost\r\nOrigin: https://evil.example", 403),
        ("Host: localhost\r\nOrigin: null", 403),
        ("Host: localhost\r\nContent-Type: text/plain", 415),
        ("Host: localhost\r\nContent-Type: multipart/form-data; boundary=x", 415),
        ("Host: localhost\r\nTransfer-Encoding: chunked", 400),
        ("Host: 127.0.0.1\r\nOrigin: http://127.0.0.1:9", 400),
        ("Host: [::1]:8000\r\nContent-Type: application/json; charset=utf-8", 400),
        ("Host: LOCALHOST", 400),
    ],
)
def test_what_a_page_in_a_browser_sends_is_refused(server, head, status):
    with server.connect() as connection:
        connection.sendall(
            f"POST /v2/models/sp500/infer HTTP/1.1\r\n{head}\r\nContent-Length: 2\r\n\r\n".encode()
            + b"{}"
        )
        found, _, answer = answer_of(connection)
        assert found == status
        assert answer["error"]
        if "Transfer" in head:
            assert is_closed(connection)


def test_names_of_this_server_are_allowed(start):
    with start("--allow-host", "models.example") as server:
        for name, status in (("models.example", 200), ("evil.example", 421)):
            assert server.ask("GET", "/v2", None, {"Host": name})[0] == status
