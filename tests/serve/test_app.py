"""The application in this process, with a model whose pace and faults the test decides."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from regimetry.serve.app import Limits, Service

INFER = "/v2/models/m/infer"


class Model:
    """The shipped model's contract; `run` waits until it is let go."""

    def __init__(self, contract):
        self.contract, self.schema, self.rows = contract, contract.schema, contract.window_rows
        self.go = threading.Event()
        self.lock = threading.Lock()
        self.running = self.most = 0

    def run(self, windows, outputs):
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        assert self.go.wait(60)
        with self.lock:
            self.running -= 1
        return {"regime": np.arange(len(windows))}


class Faulty(Model):
    def run(self, windows, outputs):
        raise ZeroDivisionError


async def ask(app, method, path, body=b""):
    """Return status and JSON of one request."""
    messages = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        messages.append(message)

    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": [],
             "query_string": b"", "http_version": "1.1", "scheme": "http",
             "server": ("127.0.0.1", 1)}  # fmt: skip
    try:
        await app(scope, receive, send)
    except ZeroDivisionError:
        messages.append("raised on, for the log")
    return messages[0]["status"], json.loads(messages[1]["body"]), messages[2:]


@pytest.fixture
def body(windows, request_of):
    return json.dumps(request_of(windows[:2], outputs=[{"name": "regime"}])).encode()


def test_health_answers_while_every_thread_infers(shipped, body):
    model = Model(shipped.contract)

    async def run(app):
        waiting = [asyncio.create_task(ask(app, "POST", INFER, body)) for _ in range(6)]
        while model.running < 2:
            await asyncio.sleep(0.001)
        for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/m/ready"):
            assert (await ask(app, "GET", path))[0] == 200
        refused = await ask(app, "POST", INFER, body)
        assert not any(task.done() for task in waiting)
        model.go.set()
        return refused, await asyncio.gather(*waiting)

    with ThreadPoolExecutor(2) as pool:
        app = Service(model, "m", pool, Limits(requests=6)).app()
        refused, answers = asyncio.run(run(app))
    assert refused[0] == 429
    assert [status for status, _, _ in answers] == [200] * 6
    assert {tuple(answer["outputs"][0]["data"]) for _, answer, _ in answers} == {(0, 1)}
    assert model.most == 2


def test_a_fault_is_one_error_is_logged_and_frees_its_place(shipped, body):
    with ThreadPoolExecutor(1) as pool:
        app = Service(Faulty(shipped.contract), "m", pool, Limits(requests=1)).app()
        for _ in range(2):
            status, answer, rest = asyncio.run(ask(app, "POST", INFER, body))
            assert (status, answer) == (500, {"error": "The server failed; its log says why."})
            assert rest == ["raised on, for the log"]


def test_a_model_of_bars_takes_windows_of_bars(bars_model, bars):
    windows = np.lib.stride_tricks.sliding_window_view(bars[:40], 15, axis=0).swapaxes(1, 2)
    entry = {"name": "window", "shape": list(windows.shape), "datatype": "FP64"}
    body = json.dumps({"inputs": [entry | {"data": windows.ravel().tolist()}]}).encode()
    with ThreadPoolExecutor(1) as pool:
        app = Service(bars_model, "m", pool, Limits()).app()
        _, described, _ = asyncio.run(ask(app, "GET", "/v2/models/m"))
        status, answer, _ = asyncio.run(ask(app, "POST", INFER, body))
        (refused, error, _) = asyncio.run(ask(app, "POST", INFER, body.replace(b"FP64", b"FP32")))
    assert described["inputs"] == [{"name": "window", "datatype": "FP64", "shape": [-1, 15, 6]}]
    assert json.loads(described["parameters"]["feature_names"])[0] == "Open"
    assert status == 200
    found = {output["name"]: output["data"] for output in answer["outputs"]}
    np.testing.assert_array_equal(found["regime"], bars_model.run(windows)["regime"])
    assert (refused, "FP64" in error["error"]) == (400, True)
