"""The stateful service against the bank in process: ``python -m benchmarks.serving``.

Serves the shipped model from a process of its own, with a log on the disk, and pushes over loopback
from this one; what the client takes to write and read counts. Each form of a push takes turns with
the same push to a bank in this process, and has to give the same.
"""

import argparse
import http.client
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import regimetry as rg
from benchmarks.machine import describe_machine
from benchmarks.runtime_timing import in_turns

MODEL = Path(__file__).parents[1] / "models" / "sp500.onnx"
SERIES, MANY = 5000, 10_000
ROUNDS, WARM, SINGLE, STEPS = 60, 1000, 20_000, 20_000
STREAMS = "/v2/models/sp500/streams"
HEADER = "Inference-Header-Content-Length"


class Client:
    """One connection to a server."""

    def __init__(self, port: int) -> None:
        self.raw = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.raw.connect()

    def close(self) -> None:
        """Close the connection."""
        self.raw.close()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Any:
        """Return the response to a request, and its body."""
        self.raw.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        response = self.raw.getresponse()
        return response, response.read()

    def push_json(self, names: list[str], rows: np.ndarray) -> dict[str, np.ndarray]:
        """Push rows as JSON; return regime and novelty."""
        body = {"series": names, "rows": rows.tolist(), "outputs": ["regime", "novelty"]}
        response, found = self.ask("POST", f"{STREAMS}/push", json.dumps(body).encode())
        answer = json.loads(found)
        if response.status != 200:
            raise SystemExit(answer["error"])
        kinds = {"regime": np.int64, "novelty": np.float32}
        missing = answer["regime"][0] is None
        return {} if missing else {k: np.array(answer[k], kind) for k, kind in kinds.items()}

    def push_binary(self, coded: bytes, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Push rows as binary tensors; return regime and novelty."""
        inputs = [
            tensor("series", "BYTES", [len(rows)], len(coded)),
            tensor("rows", "FP64", list(rows.shape), rows.nbytes),
        ]
        outputs = [{"name": "regime"}, {"name": "novelty"}]
        head = json.dumps({"inputs": inputs, "outputs": outputs}).encode()
        headers = {"Inference_Header_Content_Length": str(len(head))}
        body = head + coded + rows.tobytes()
        response, found = self.ask("POST", f"{STREAMS}/push", body, **headers)
        if response.status != 200:
            raise SystemExit(json.loads(found)["error"])
        place, answer = int(response.headers[HEADER]), {}
        for name, kind in (("regime", "<i8"), ("novelty", "<f4")):
            answer[name] = np.frombuffer(found, kind, len(rows), place)
            place += answer[name].nbytes
        return answer


def tensor(name: str, datatype: str, shape: list[int], size: int) -> dict[str, Any]:
    parameters = {"binary_data_size": size}
    return {"name": name, "datatype": datatype, "shape": shape, "parameters": parameters}


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int, float]]:
    """Run a server that remembers; yield process, port, and seconds until it was ready."""
    begun = time.perf_counter()
    command = [sys.executable, "-I", "-m", "regimetry", "serve", MODEL, "--port", "0"]
    command += ["--device", "cpu", "--state", folder, "--log-steps", str(STEPS + 1)]
    for limit in ("--max-series", "--max-client-series"):
        command += [limit, str(2 * SERIES + MANY)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            port = int(re.search(r":(\d+);", process.stderr.readline())[1])
            with closing(Client(port)) as client:
                while client.ask("GET", "/v2/health/ready")[0].status != 200:
                    time.sleep(0.002)
            yield process, port, time.perf_counter() - begun
        finally:
            process.kill()


def resident(process: subprocess.Popen[str]) -> int:
    """Return KiB of a process's resident memory."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


def rows_of(count: int, generator: np.random.Generator) -> np.ndarray:
    return np.exp(0.01 * generator.normal(size=(count, 2)))


def compare(client: Client) -> dict[str, np.ndarray]:
    """Time pushes of all series as JSON, as binary and to a bank; the answers must be equal."""
    model, generator = rg.load(MODEL, device="cpu", threads=1), np.random.default_rng(0)
    ids = np.arange(SERIES)
    names = {form: [f"{form[0]}{i:04}" for i in range(SERIES)] for form in ("json", "binary")}
    coded = b"".join(len(one).to_bytes(4, "little") + one.encode() for one in names["binary"])
    bank, pushes = model.bank(SERIES), [rows_of(SERIES, generator) for _ in range(ROUNDS)]
    first = [rows_of(SERIES, generator) for _ in range(model.rows)]
    found: dict[str, list[dict[str, np.ndarray]]] = {"json": [], "binary": [], "bank": []}

    def push_bank(rows: np.ndarray) -> dict[str, np.ndarray]:
        ticks = bank.push(ids, rows)
        return {"regime": ticks.regime, "novelty": ticks.novelty}

    ways: dict[str, Callable[[np.ndarray], dict[str, np.ndarray]]] = {
        "json": lambda rows: client.push_json(names["json"], rows),
        "binary": lambda rows: client.push_binary(coded, rows),
        "bank": push_bank,
    }
    for rows in first:
        for way in ways.values():
            way(rows)
    actions = {
        name: lambda n, name=name, way=way: found[name].append(way(pushes[n]))
        for name, way in ways.items()
    }
    seconds = in_turns(actions, ROUNDS, 1)
    for form in ("json", "binary"):
        for mine, theirs in zip(found[form], found["bank"], strict=True):
            for name in mine:
                np.testing.assert_array_equal(mine[name], theirs[name])
    return seconds


def one_by_one(port: int, count: int) -> np.ndarray:
    """Return seconds of each of so many pushes of one row to one series."""
    generator, seconds = np.random.default_rng(1), np.empty(count)
    bodies = [json.dumps({"rows": rows_of(1, generator).tolist()}).encode() for _ in range(1000)]
    with closing(Client(port)) as client:
        raw = client.raw
        for number in range(-WARM, count):
            begun = time.perf_counter()
            raw.request("POST", f"{STREAMS}/one/push", bodies[number % len(bodies)])
            response = raw.getresponse()
            response.read()
            if response.status != 200:
                raise SystemExit(f"A push was answered with {response.status}.")
            if number >= 0:
                seconds[number] = time.perf_counter() - begun
    return seconds


def memory(process: subprocess.Popen[str], port: int, count: int) -> float:
    """Return by how many MiB so many pushes let the server grow at most."""
    one_by_one(port, count // 20)
    before = highest = resident(process)
    for _ in range(20):
        one_by_one(port, count // 20)
        highest = max(highest, resident(process))
    return (highest - before) / 1024


def restarts(folder: Path) -> tuple[float, float]:
    """Return seconds until many series are there again: after a snapshot, and a full log."""
    names = [f"series {i:05}" for i in range(MANY)]
    generator = np.random.default_rng(2)
    with serving(folder) as (process, port, _):
        with closing(Client(port)) as client:
            for _ in range(40):
                client.push_json(names, rows_of(MANY, generator))
        process.terminate()
        process.wait(60)
    with serving(folder) as (process, port, after_snapshot):
        one_by_one(port, STEPS - WARM)
        process.kill()
    with serving(folder) as (_, port, after_log), closing(Client(port)) as client:
        found = json.loads(client.ask("GET", f"{STREAMS}/one")[1])
        if found["count"] != STEPS:
            raise SystemExit(f"{found['count']} pushes of {STEPS} were restored.")
    return after_snapshot, after_log


def measure_speed(folder: Path) -> None:
    """Measure and print what pushes take."""
    with serving(folder) as (_, port, _), closing(Client(port)) as client:
        seconds = {name: float(np.median(found)) for name, found in compare(client).items()}
        p50, p99, p999 = 1e3 * np.percentile(one_by_one(port, SINGLE), [50, 99, 99.9])
    print(f"| {SERIES} series a push | milliseconds | rows a second | of the bank |")
    print("|---|---|---|---|")
    for name, text in (("bank", "bank in process"), ("binary", "binary"), ("json", "JSON")):
        share = seconds["bank"] / seconds[name]
        cells = f"{1e3 * seconds[name]:.1f} | {SERIES / seconds[name]:,.0f} | {share:.0%}"
        print(f"| {text} | {cells} |")
    print("\n| figure | target | measured |\n|---|---|---|")
    print(f"| binary, of the bank | >= 75 % | {seconds['bank'] / seconds['binary']:.0%} |")
    print(f"| JSON, of the bank | >= 25 % | {seconds['bank'] / seconds['json']:.0%} |")
    print(f"| a push of one row, p50 | | {p50:.2f} ms |")
    print(f"| a push of one row, p99 | < 2 ms | {p99:.2f} ms |")
    print(f"| a push of one row, p99.9 | | {p999:.2f} ms |")
    print(f"| pushes of one row a second, one client | | {1000 / p50:,.0f} |")


def measure_restarts(folder: Path) -> None:
    """Measure and print what a restart takes."""
    after_snapshot, after_log = restarts(folder)
    print(f"| restart of {MANY:,} series, of a snapshot | < 2 s | {after_snapshot:.2f} s |")
    print(f"| the same, and {STEPS:,} pushes in the log | < 2 s | {after_log:.2f} s |")


def measure_memory(folder: Path, pushes: int) -> None:
    """Measure and print what pushes leave in memory."""
    with serving(folder) as (process, port, _):
        grown = memory(process, port, pushes)
    print(f"| resident memory over {pushes:,} pushes | flat | +{grown:.1f} MiB |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pushes", type=int, default=1_000_000, help="while memory is watched")
    parts = ("speed", "restarts", "memory")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    options = parser.parse_args()
    print(f"Measured on {describe_machine()}; the server and its client share them.\n")
    with tempfile.TemporaryDirectory() as name:
        if "speed" in options.parts:
            measure_speed(Path(name, "speed"))
        if "restarts" in options.parts:
            measure_restarts(Path(name, "restarts"))
        if "memory" in options.parts:
            measure_memory(Path(name, "memory"), options.pushes)


if __name__ == "__main__":
    main()
