"""Live series of a service: logs that are cut or changed, and processes that are killed."""

from __future__ import annotations

import http.client
import json
import random
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from unittest.mock import patch

import numpy as np

import regimetry as rg
from benchmarks.attack import Attack, Place, python
from benchmarks.attack.state import rows_of
from regimetry.errors import DataError
from regimetry.runtime.changes import ChangeRule
from regimetry.serve import journal
from regimetry.serve.folder import StateFolder
from regimetry.serve.live import LiveSeries, SeriesLimits

_PUSHES = 30


def _restored(model: rg.RegimeModel, folder: Path) -> LiveSeries:
    live = LiveSeries(
        model,
        limits=SeriesLimits(series=4),
        rule=ChangeRule(),
        folder=lambda owner: StateFolder(
            folder, owner, fsync=False, log_bytes=1 << 30, log_records=1 << 30
        ),
    )
    try:
        live.restore()
    except BaseException:
        live.memory.close(live._bank, live._table)
        raise
    return live


def _state(live: LiveSeries) -> list[bytes]:
    """Return all that is held of the series, as bytes."""
    snapshot = live._bank.snapshot()
    held = live._table.held[snapshot["ids"]]
    return [held.tobytes(), *(snapshot[name].tobytes() for name in ("rows", "costs", "novelty"))]


def logs(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """Flip bits of logs, and cut them; planted: their checksums are not compared.

    What is restored is what was there after some push: after the last one whose record is whole
    where the log is cut, and after the last but one at least where a bit is flipped.
    """
    model, generator = rg.load(place.model, device="cpu", threads=1), random.Random(0)
    rows = rows_of(model, _PUSHES)
    with patch.object(journal, "crc32", lambda *_: 0) if planted else nullcontext():
        live = _restored(model, place.room / f"whole {planted}")
        log = live.memory._folder.journal
        states, ends = [_state(live)], [log.size]
        for row in rows:
            live.push("", ["a", "b"], np.stack([row, row]))
            states.append(_state(live))
            ends.append(log.size)
        live.memory._folder.close()
        for number in range(tries):
            folder = place.room / f"{planted} {number}"
            shutil.copytree(place.room / f"whole {planted}", folder)
            (path,) = folder.glob("journal-*")
            content = bytearray(path.read_bytes())
            if number % 2:
                size = generator.randrange(len(content))
                del content[size:]
                allowed = states[max(sum(end <= size for end in ends) - 1, 0)]
            else:
                content[generator.randrange(ends[0], len(content))] ^= 1 << generator.randrange(8)
                allowed = states[-2]
            path.write_bytes(content)
            try:
                live = _restored(model, folder)
            except DataError:
                yield None if number % 2 == 0 else f"log {number}: it was cut, and refused"
                continue
            found = _state(live)
            live.memory._folder.close()
            yield None if found == allowed else f"log {number}: other series were restored"


_SERVE = """
import sys
from regimetry.cli import main
from regimetry.serve.memory import Memory
if sys.argv[3] == "True":
    Memory.write = lambda *_: None
raise SystemExit(main(["serve", sys.argv[1], "--name", "m", "--port", "0", "--device", "cpu",
                       "--state", sys.argv[2], "--log-steps", "50"]))
"""


def _asked(port: int, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, object]]:
    """Ask until the series are restored."""
    while True:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request(method, f"/v2/models/m/streams/{path}", body)
            with connection.getresponse() as response:
                answer = json.loads(response.read())
                if response.status != 503:
                    return response.status, answer
        time.sleep(0.01)


def killed_services(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """Kill a service that takes pushes; all it answered must be there; planted: none is logged."""
    rows = rows_of(rg.load(place.model, device="cpu", threads=1), 50).tolist()
    generator, count = random.Random(0), 0
    command = python(_SERVE, place.model, place.room / f"state {planted}", planted)
    for number in range(tries + 1):
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
            try:
                port = int(re.search(r":(\d+);", server.stderr.readline())[1])
                status, answer = _asked(port, "GET", "a")
                found = answer["count"] if status == 200 else 0
                if number:
                    kept = count <= found <= count + 1  # a push without an answer may be there
                    yield None if kept else f"kill {number}: {found} rows of {count} are there"
                killer = threading.Timer(generator.uniform(0.1, 0.5), server.kill)
                killer.start()
                count = _push_until_killed(port, rows, found)
                killer.join()
            finally:
                server.kill()


def _push_until_killed(port: int, rows: list[list[float]], count: int) -> int:
    """Push row by row; return how many rows the last answer counts."""
    while True:
        body = json.dumps({"rows": [rows[count % len(rows)]]}).encode()
        try:
            _, answer = _asked(port, "POST", "a/push", body)
        except (OSError, http.client.HTTPException, ValueError):
            return count
        count = answer["count"][0]


ATTACKS = (Attack("logs", 400, logs), Attack("killed services", 20, killed_services))
