"""Live series as clients see them: a real process, real sockets, and kill -9."""

import asyncio
import http.client
import json
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from urllib.parse import quote

import numpy as np
import pytest
from changed import change_golden
from places import MODEL

from regimetry.runtime.changes import ChangeRule
from regimetry.serve.answers import Told
from regimetry.serve.app import Limits, Service
from regimetry.serve.folder import StateFolder
from regimetry.serve.live import LiveSeries, SeriesLimits
from regimetry.serve.streams import Streams
from regimetry.serve.subscribers import PENDING_BYTES, EventStream, Subscribers
from regimetry.serve.tensors import RequestError

STREAMS = "/v2/models/sp500/streams"


def push(server, rows, name="a", headers=None, **more):
    body = {"rows": np.asarray(rows).tolist(), **more}
    path = f"{STREAMS}/push" if name is None else f"{STREAMS}/{name}/push"
    return server.ask("POST", path, json.dumps(body), headers)


def bars_of(count, seed=0):
    """Bars whose volatility changes every hundred."""
    random = np.random.default_rng(seed)
    scale = np.where(np.arange(count) // 100 % 2, 0.03, 0.005)
    close = 100 * np.exp(np.cumsum(random.normal(size=count) * scale))
    return np.column_stack([close, np.abs(random.normal(size=count)) * scale * 2 + 0.001])


def tensors_of(rows, names=None, times=None, **more):
    """The protocol's form of a push: the JSON object and the bytes behind it."""
    inputs, tails = [], []

    def add(name, datatype, shape, data):
        parameters = {"binary_data_size": len(data)}
        inputs.append(
            {"name": name, "datatype": datatype, "shape": shape, "parameters": parameters}
        )
        tails.append(data)

    if names is not None:
        coded = [name.encode() for name in names]
        data = b"".join(len(one).to_bytes(4, "little") + one for one in coded)
        add("series", "BYTES", [len(names)], data)
    kind = {"float32": "FP32", "float64": "FP64"}[rows.dtype.name]
    add("rows", kind, list(rows.shape), rows.tobytes())
    if times is not None:
        add("times", "INT64", [len(times)], times.tobytes())
    return {"inputs": inputs, **more}, b"".join(tails)


def push_tensors(server, *arguments, series=None, **more):
    request, tail = tensors_of(*arguments, **more)
    head = json.dumps(request).encode()
    path = f"{STREAMS}/push" if series is None else f"{STREAMS}/{series}/push"
    headers = {"Inference-Header-Content-Length": str(len(head))}
    status, found, body = server._ask("POST", path, head + tail, headers)
    if status != 200:
        return status, json.loads(body)
    end = int(found["Inference-Header-Content-Length"])
    answer, place = {}, end
    kinds = {"FP32": "<f4", "FP64": "<f8", "INT64": "<i8", "BOOL": "?"}
    for output in json.loads(body[:end])["outputs"]:
        size = output["parameters"]["binary_data_size"]
        data = np.frombuffer(body[place : place + size], kinds[output["datatype"]])
        answer[output["name"]] = data.reshape(output["shape"])
        place += size
    assert place == len(body)
    return status, answer


def test_both_forms_give_what_a_bank_gives(start, shipped):
    data = np.stack([bars_of(60, seed) for seed in range(6)])
    bank, names = shipped.bank(6), [f"séries {i}" for i in range(6)]
    with start() as server:
        for t in range(60):
            expected = bank.push(np.arange(6), data[:, t])
            status, _, plain = push(server, data[:3, t], None, series=names[:3])
            assert status == 200
            times = np.arange(t, t + 3)
            status, binary = push_tensors(server, data[3:, t], names[3:], times=times)
            assert status == 200
            if not len(expected.ids):
                assert plain["regime"] == [None] * 3
                assert binary["regime"].tolist() == [-1] * 3
                assert np.isnan(binary["novelty"]).all()
                continue
            for name in ("regime", "probability", "novelty", "novel"):
                wanted = getattr(expected, name)
                np.testing.assert_array_equal(np.array(plain[name], wanted.dtype), wanted[:3])
                np.testing.assert_array_equal(binary[name], wanted[3:])
            assert plain["count"] == binary["count"].tolist() == [t + 1] * 3
        _, _, some = push(server, data[0, :2], quote(names[0]), outputs=["novelty", "count"])
        assert list(some) == ["model_name", "novelty", "count"]
        assert some["count"] == [61, 62]
        _, some = push_tensors(
            server, data[0, :1].astype("f4"), series="one", outputs=[{"name": "regime"}]
        )
        assert list(some) == ["regime"]
        assert server.ask("GET", f"{STREAMS}/one")[2] == {
            "series": "one", "count": 1, "told": None,
        }  # fmt: skip
        assert server.ask("DELETE", f"{STREAMS}/one")[2] == {"series": "one", "dropped": True}
        assert server.ask("GET", f"{STREAMS}/one")[0] == 404
        metrics = server.metrics()
        assert metrics["regimetry_series"] == 6
        assert metrics["regimetry_stream_rows_total"] == 60 * 6 + 3
        assert metrics["regimetry_push_seconds_count"] == 122
        assert metrics['regimetry_requests_total{route="push",status="200"}'] == 122


def test_clients_that_push_at_once_get_what_they_would_alone(start, shipped):
    data = np.stack([bars_of(60, seed) for seed in range(4)])
    bank = shipped.bank(4)
    expected = bank.push(np.repeat(np.arange(4), 60), data.reshape(-1, 2))
    with start() as server, ThreadPoolExecutor(4) as threads:

        def work(one):
            return [push(server, row[None], f"s{one}")[2]["regime"][0] for row in data[one]]

        for one, found in enumerate(threads.map(work, range(4))):
            alone = expected.regime[expected.ids == one].tolist()
            assert found == [None] * (60 - len(alone)) + alone
        assert server.metrics()["regimetry_stream_rows_total"] == 240


ROW = [[1.0, 1.0]]
WRONG = {
    "no rows": ({}, "'rows' must be"),
    "no row": ({"rows": []}, "'rows' must be"),
    "flat": ({"rows": [1.0, 1.0]}, "'rows' must be"),
    "ragged": ({"rows": [[1.0], [1.0, 1.0]]}, "unequal length"),
    "text": ({"rows": [["1", "2"]]}, "'rows' must be"),
    "true": ({"rows": [[True, True]]}, "'rows' must be"),
    "vast": (b'{"rows": [[null, 1%s]]}' % (b"0" * 400), "vast number"),
    "infinite": (b'{"rows": [[1.0, 1e999]]}', "holds inf"),
    "not a number": (b'{"rows": [[1.0, NaN]]}', "holds NaN"),
    "narrow": ({"rows": [[1.0]]}, "have 1 columns; the model reads 2"),
    "not positive": ({"rows": [[-1.0, 1.0]]}, "is not positive"),
    "series twice": ({"rows": ROW, "series": ["a"]}, "The path names the series"),
    "few times": ({"rows": ROW, "times": []}, "1 rows and 0 times"),
    "times of null": ({"rows": ROW, "times": [None]}, "'times' must be"),
    "long time": ({"rows": ROW, "times": ["1" * 99]}, "more than 64 characters"),
    "unknown output": ({"rows": ROW, "outputs": ["x"]}, "no output 'x'"),
    "outputs of objects": ({"rows": ROW, "outputs": [{"name": "regime"}]}, "list of text"),
    "many rows": ({"rows": ROW * 5}, "has 5 rows; 4 are allowed"),
    "not JSON": (b"rows", "not JSON"),
}


@pytest.fixture(scope="module")
def small(start):
    """A server whose limits are soon met."""
    with start("--max-series", "3", "--max-rows", "4", "--max-subscribers", "1") as found:
        yield found


@pytest.mark.parametrize("case", list(WRONG))
def test_wrong_pushes_are_refused_in_one_sentence(small, case):
    body, message = WRONG[case]
    body = body if isinstance(body, bytes) else json.dumps(body)
    status, _, answer = small.ask("POST", f"{STREAMS}/wrong/push", body)
    assert status == (413 if case == "many rows" else 400)
    assert list(answer) == ["error"]
    assert message in answer["error"]
    assert len(answer["error"]) < 300
    assert small.ask("GET", f"{STREAMS}/wrong")[0] == 404  # and began no series


def test_a_missing_value_is_null_and_read_by_the_rules(small):
    rows = [[None, 1.0], *ROW]  # leading ones are left out
    status, _, answer = push(small, rows, "gappy")
    assert (status, answer["count"]) == (200, [1, 2])
    status, _, answer = push(small, [[1.0, None]], "gappy")
    assert (status, "missing='trim'" in answer["error"]) == (400, True)
    assert small.ask("GET", f"{STREAMS}/gappy")[2]["count"] == 2
    assert small.ask("DELETE", f"{STREAMS}/gappy")[0] == 200


def change(entry, **changes):
    return {**entry, **changes}


WRONG_TENSORS = {
    "a name cut": (lambda r, t: (r, t[:3]), "binary_data_size"),
    "more bytes": (lambda r, t: (r, t + b"x"), "hold all"),
    "no rows": (lambda r, t: ({"inputs": r["inputs"][:1]}, t[:5]), "hold all"),
    "no series": (lambda r, t: ({"inputs": r["inputs"][1:]}, t[5:]), "hold all"),
    "rows twice": (lambda r, t: ({"inputs": r["inputs"][1:] * 2}, t), "each once"),
    "integers": (
        lambda r, t: ({"inputs": [r["inputs"][0], change(r["inputs"][1], datatype="INT64")]}, t),
        "'INT64' is not read",
    ),
    "another shape": (
        lambda r, t: ({"inputs": [r["inputs"][0], change(r["inputs"][1], shape=[2, 2])]}, t),
        "must fit the other",
    ),
    "a long element": (lambda r, t: (r, b"\xff" + t[1:]), "longer than what is left"),
    "JSON asked for": (
        lambda r, t: (
            {**r, "outputs": [{"name": "regime", "parameters": {"binary_data": False}}]}, t,
        ),
        "comes as binary data",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", list(WRONG_TENSORS))
def test_wrong_tensors_are_refused_in_one_sentence(small, case):
    spoil, message = WRONG_TENSORS[case]
    request, tail = spoil(*tensors_of(np.ones((1, 2)), ["w"]))
    head = json.dumps(request).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    status, _, answer = small.ask("POST", f"{STREAMS}/push", head + tail, headers)
    assert (status, message in answer["error"]) == (400, True), answer
    assert small.ask("GET", f"{STREAMS}/w")[0] == 404


def test_names_and_quotas_are_bounded_and_said(small):
    for path in (f"{STREAMS}/{'x' * 10_000}", f"{STREAMS}/{'x' * 10_000}/events"):
        status, _, answer = small.ask("GET", path)
        assert (status, len(answer["error"]) < 200) == (400, True)
    status, _, answer = push(small, ROW, "x" * 10_000)
    assert (status, "of 10000 characters" in answer["error"]) == (400, True)
    status, headers, answer = push(small, ROW * 4, None, series=["a", "b", "c", "d"])
    assert (status, headers["retry-after"]) == (429, "1")
    assert "3 are allowed" in answer["error"]
    assert push(small, ROW, None)[0] == 400  # names no series
    assert small._ask("HEAD", f"{STREAMS}/events")[0] == 200  # and subscribes nobody
    assert small.metrics()["regimetry_subscribers"] == 0
    assert small.ask("GET", f"{STREAMS}/none")[0] == 404
    assert small.ask("POST", "/v2/models/other/streams/a/push", "{}")[0] == 404
    assert small.ask("GET", f"{STREAMS}/a/push")[0] == 405


@contextmanager
def subscribed(server, path, **headers):
    """Subscribe; yield a function that reads the next event."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        assert (response.status, response.headers["content-type"]) == (
            200, "text/event-stream; charset=utf-8",
        )  # fmt: skip
        assert response.readline().startswith(b":")
        assert response.readline() == b"\n"

        def read():
            name = response.readline()
            assert name == b"event: change\n", name
            data = json.loads(response.readline().removeprefix(b"data: "))
            assert response.readline() == b"\n"
            return data

        yield read
    finally:
        connection.close()


def test_subscribers_are_told_of_changes_that_held(start, shipped):
    rows, told = bars_of(420), []
    live = LiveSeries(
        shipped, limits=SeriesLimits(), rule=ChangeRule(), tell=lambda _, made: told.extend(made())
    )
    live.push("", ["a"] * 420, rows)
    expected = [one.change for one in told]
    assert len(expected) >= 4
    with start() as server:
        with (
            subscribed(server, f"{STREAMS}/a/events") as mine,
            subscribed(server, f"{STREAMS}/events") as every,
        ):
            for part in (rows[:150], rows[150:151], rows[151:]):
                push(server, part)
            push(server, rows, "b")
            for change in expected:
                found = mine()
                assert found.pop("probability") == pytest.approx(change["probability"])
                assert found.items() <= change.items()
                assert every()["series"] == "a"
            assert [every()["series"] for _ in expected] == ["b"] * len(expected)
            assert server.metrics()["regimetry_subscribers"] == 2
            assert server.metrics()["regimetry_changes_total"] == 2 * len(expected)
        for _ in range(100):
            if server.metrics()["regimetry_subscribers"] == 0:
                break
            time.sleep(0.05)
        assert server.metrics()["regimetry_subscribers"] == 0
        with subscribed(server, f"{STREAMS}/events"):  # who is told does not keep the server
            assert server.stop(signal.SIGTERM) == (0, "")


def ask_app(app, method, path, body=b""):
    """Return status, headers and JSON of one request to an application in this process."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": [],
             "query_string": b"", "http_version": "1.1", "scheme": "http",
             "server": ("127.0.0.1", 1)}  # fmt: skip
    asyncio.run(app(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, json.loads(sent[1]["body"])


def test_series_wait_for_their_restoration(shipped, tmp_path):
    rule = ChangeRule()
    live = LiveSeries(
        shipped,
        limits=SeriesLimits(),
        rule=rule,
        folder=lambda owner: StateFolder(
            tmp_path, owner, fsync=False, log_bytes=1 << 20, log_records=9
        ),
    )
    with ThreadPoolExecutor(1) as pool:
        service = Service(shipped, "sp500", pool, Limits())
        streams = Streams(service, live, Subscribers(1), pool)
        app = service.app(more=streams.routes(), is_ready=streams.is_ready)
        body = json.dumps({"rows": ROW}).encode()
        for method, path in (("POST", "unknown/push"), ("GET", "unknown"), ("DELETE", "unknown")):
            status, headers, answer = ask_app(app, method, f"{STREAMS}/{path}", body)
            assert (status, headers["retry-after"]) == (503, "1")
            assert answer["error"] == "The series are being restored. Try again."
        assert ask_app(app, "GET", "/v2/health/ready")[::2] == (503, {"ready": False})
        live.restore()
        assert ask_app(app, "GET", f"{STREAMS}/unknown")[0] == 404
        assert ask_app(app, "POST", f"{STREAMS}/unknown/push", body)[0] == 200
        assert ask_app(app, "GET", "/v2/health/ready")[::2] == (200, {"ready": True})
        live.close()


def test_a_model_that_gathers_bins_says_why_it_has_no_series(shipped):
    with ThreadPoolExecutor(1) as pool:
        service = Service(shipped, "sp500", pool, Limits())
        streams = Streams(service, None, Subscribers(1), pool)
        app = service.app(more=streams.routes(), is_ready=streams.is_ready)
        for method, path in (("POST", "a/push"), ("GET", "a"), ("GET", "events")):
            status, _, answer = ask_app(app, method, f"{STREAMS}/{path}")
            assert (status, "gathers rows in bins" in answer["error"]) == (501, True)
        assert ask_app(app, "GET", "/v2/health/ready")[0] == 200


def test_subscribers_have_a_limit(small):
    with subscribed(small, f"{STREAMS}/a/events"):
        status, headers, answer = small.ask("GET", f"{STREAMS}/a/events")
        assert (status, headers["retry-after"]) == (429, "1")
        assert "1 subscribers" in answer["error"]


@pytest.mark.parametrize("reads", [False, True])
def test_a_subscriber_that_does_not_read_is_dropped_and_told(reads):
    async def run():
        subscribers, sent, may_send = Subscribers(most=2), [], asyncio.Event()
        one, other = subscribers.begin("", None), subscribers.begin("", "b")
        with pytest.raises(RequestError, match="2 subscribers"):
            subscribers.begin("", None)

        async def send(message):
            sent.append(message.get("body", b""))
            if not reads:
                await may_send.wait()

        async def receive():
            await asyncio.Event().wait()

        task = asyncio.create_task(EventStream(one, subscribers)({}, receive, send))
        told = [Told("", "a", {"series": "a" * 1000})] * 100
        for _ in range(50):
            await asyncio.to_thread(subscribers.tell, len(told), lambda: told)
            await asyncio.sleep(0)
            waiting = one._size
            assert waiting <= PENDING_BYTES
        may_send.set()
        if reads:
            await asyncio.sleep(0.01)
            subscribers.close()
        await asyncio.wait_for(task, 10)
        assert not other._waiting  # of another series
        return subscribers, b"".join(sent)

    subscribers, sent = asyncio.run(run())
    assert subscribers.dropped == (0 if reads else 1)
    assert subscribers.count == 1
    assert sent.endswith(b"event: dropped\ndata: {}\n\n") is not reads
    assert sent.count(b"event: change") == (5000 if reads else 0)


def test_kill_9_loses_no_push_that_was_answered(start, shipped, tmp_path):
    rows, state = bars_of(4000), ("--state", str(tmp_path), "--log-steps", "40")
    taken, said = 0, ""
    random = np.random.default_rng(0)
    for _ in range(4):
        with start(*state) as server:
            answered, pushing = taken, threading.Event()

            def work(server=server, pushing=pushing):
                nonlocal answered
                with suppress(OSError, http.client.HTTPException, ValueError):
                    while True:
                        status, _, found = push(server, rows[answered : answered + 1])
                        if status != 503:
                            assert found["count"] == [answered + 1]
                            answered += 1
                            pushing.set()

            thread = threading.Thread(target=work)
            thread.start()
            assert pushing.wait(30)
            time.sleep(random.uniform(0.05, 0.4))
            server.process.kill()
            thread.join()
        with start(*state) as server:
            found = 0
            for _ in range(100):
                status, _, look = server.ask("GET", f"{STREAMS}/a")
                if status != 503:
                    found = look["count"]
                    break
                time.sleep(0.02)
            # A push that was not answered may be there or not.
            assert answered <= found <= answered + 1
            taken = found
            code, said = server.stop(signal.SIGKILL)
            assert (code, "restored 1 series" in said) == (-9, True)
    assert taken > 100
    with start(*state) as server:
        while (found := push(server, rows[taken : taken + 1]))[0] == 503:
            time.sleep(0.02)
        bank = shipped.bank(1)
        for row in rows[: taken + 1]:
            ticks = bank.push([0], row[None])
        assert found[2]["probability"] == ticks.probability.tolist()
        assert found[2]["novel"] == ticks.novel.tolist()
        code, said = server.stop(signal.SIGTERM)
        assert code == 0
    assert [path.suffix for path in sorted(tmp_path.iterdir())] == [".log", ".npz"]


def test_a_folder_of_another_model_ends_the_server(start, model, tmp_path):
    owner = model.bank(1).model
    folder = StateFolder(tmp_path, owner, fsync=True, log_bytes=1 << 20, log_records=9)
    folder.restore(lambda _: None, lambda _: None)
    folder.close()
    with start("--state", str(tmp_path)) as server:
        assert server.process.wait(timeout=60) == 2
        said = server.process.stderr.read()
        assert "holds rows of the model" in said
        assert "Traceback" not in said


TOKENS = {"one": "1" * 20, "two": "2" * 20, "admin": "3" * 20}


@pytest.fixture
def tokens(tmp_path):
    path = tmp_path / "tokens"
    lines = [f"{name} {token}" for name, token in TOKENS.items()]
    path.write_text("# who may ask\n\n" + "\n".join(lines) + "\n")
    return path


def bearing(token):
    return {"Authorization": f"Bearer {token}"}


def test_tokens_tell_clients_apart(start, tokens):
    with start("--token-file", str(tokens), "--max-client-series", "1") as server:
        assert server.ask("GET", "/v2/health/ready")[0] == 200
        for headers in ({}, bearing("4" * 20), {"Authorization": "1" * 20}, bearing("é")):
            for path in ("/v2", "/metrics", f"{STREAMS}/a"):
                status, found, answer = server.ask("GET", path, None, headers)
                assert (status, found["www-authenticate"]) == (401, "Bearer")
                assert "shows no token" in answer["error"]
        one, two = bearing(TOKENS["one"]), bearing(TOKENS["two"])
        assert push(server, ROW, "a", one)[0] == 200
        assert push(server, ROW, "b", one)[0] == 429  # its quota
        assert push(server, ROW * 2, "a", two)[2]["count"] == [1, 2]  # another's "a"
        assert server.ask("GET", f"{STREAMS}/a", None, one)[2]["count"] == 1
        assert server.ask("POST", "/v2/models/sp500/replace", "", one)[0] == 403


@pytest.fixture
def served_copy(tmp_path, start):
    """A server of a copy of the shipped model, which the test may change."""
    path = tmp_path / "sp500.onnx"
    for suffix in (".onnx", ".golden.json"):
        path.with_suffix(suffix).write_bytes(MODEL.with_suffix(suffix).read_bytes())
    return path


def test_a_model_is_replaced_only_by_one_that_verifies(start, served_copy, model_path, tokens):
    admin = bearing(TOKENS["admin"])
    arguments = ("--token-file", str(tokens), "--state", str(served_copy.parent / "state"))
    with start(*arguments, model=served_copy) as server:
        while push(server, bars_of(60), "a", admin)[0] == 503:
            time.sleep(0.02)

        def replace():
            return server.ask("POST", "/v2/models/sp500/replace", "", admin)

        status, _, answer = replace()
        assert (status, answer["carried"]) == (200, "state")
        sound = served_copy.with_suffix(".golden.json").read_bytes()
        change_golden(served_copy.with_suffix(".golden.json"), "distance")
        status, _, answer = replace()
        assert (status, answer["error"].startswith("The old model goes on: ")) == (409, True)
        served_copy.with_suffix(".golden.json").write_bytes(sound)
        before = server.ask("GET", "/v2/models/sp500", None, admin)[2]
        assert push(server, bars_of(61)[60:], "a", admin)[2]["count"] == [61]
        for suffix in (".onnx", ".golden.json"):
            served_copy.with_suffix(suffix).write_bytes(model_path.with_suffix(suffix).read_bytes())
        status, _, answer = replace()
        assert (status, answer["carried"]) == (200, "nothing")
        after = server.ask("GET", "/v2/models/sp500", None, admin)[2]
        assert before["inputs"] != after["inputs"]
        found = push(server, [[0.1, 0.1, 0.1, 9.0]], "a", admin)
        assert (found[0], found[2]["count"], found[2]["regime"]) == (200, [62], [None])
        server.process.kill()
    with start(*arguments, model=served_copy) as server:  # the folder is the new model's
        while (found := server.ask("GET", f"{STREAMS}/a", None, admin))[0] == 503:
            time.sleep(0.02)
        assert found[2]["count"] == 62


def test_sighup_replaces_and_says_so(start, served_copy):
    with start(model=served_copy) as server:
        push(server, bars_of(60))
        served_copy.with_suffix(".golden.json").unlink()
        server.process.send_signal(signal.SIGHUP)
        assert "The old model goes on: " in server.process.stderr.readline()
        golden = MODEL.with_suffix(".golden.json").read_bytes()
        served_copy.with_suffix(".golden.json").write_bytes(golden)
        server.process.send_signal(signal.SIGHUP)
        assert "its series go on with all they had" in server.process.stderr.readline()
        assert push(server, bars_of(61)[60:])[2]["count"] == [61]


def test_bad_usage_is_refused_in_one_sentence(tmp_path, refuses):
    (tmp_path / "short").write_text("one 123\n")
    (tmp_path / "twice").write_text(f"one {'1' * 20}\ntwo {'1' * 20}\n")
    (tmp_path / "empty").write_text("# nobody\n")
    for message, *arguments in (
        ("cannot be read", "--token-file", tmp_path / "none"),
        ("line 1: it must be a client's name", "--token-file", tmp_path / "short"),
        ("line 2: the name or the token of 'two' occurs twice", "--token-file", tmp_path / "twice"),
        ("names no client", "--token-file", tmp_path / "empty"),
        ("--fsync is about the folder of --state", "--fsync"),
        ("--max-series is 0", "--max-series", "0"),
        ("--idle is 0", "--idle", "0"),
        ("must be from 0 to 1", "--change-probability", "2"),
        ("The bars of a change is 0", "--change-bars", "0"),
        ("cannot be used", "--state", tmp_path / "empty"),
        ("cannot be used", "--state", tmp_path / "empty" / "below"),
    ):
        refuses(message, "serve", MODEL, "--port", "0", "--device", "cpu", *arguments)
