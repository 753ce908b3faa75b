"""Processes that fork, end, write together or are killed in the middle of it."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import regimetry as rg
from benchmarks.attack import Attack, Place, python
from benchmarks.attack.state import rows_of
from regimetry.errors import ModelError

_LIVE = """
import atexit, os, signal, sys, threading, time
import numpy as np
import regimetry as rg
from benchmarks.attack.state import rows_of
from regimetry.runtime import ending, process_lock

path, kind, planted = sys.argv[1], sys.argv[2], sys.argv[3] == "True"
model = rg.load(path, device="cpu", threads=1)
rows = rows_of(model, 60)
if kind == "bank":
    live, ids = model.bank(500), np.arange(500)
    push = lambda row: live.push(ids, np.tile(row, (500, 1)))
else:
    live = model.stream()
    push = live.push
for row in rows:
    push(row)
going = True
def work():
    while going:
        for row in rows:
            push(row)
threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
"""

_FORK = (
    _LIVE
    + """
if planted:
    plain = threading.Lock()
    process_lock.ProcessLock.free = lambda _: plain
for thread in threads:
    thread.start()
time.sleep(0.02)
for _ in range(int(sys.argv[4])):
    time.sleep(0.002)
    pid = os.fork()
    if pid == 0:
        signal.alarm(5)
        push(rows[0])
        counts = set(live.counts(ids).tolist()) if kind == "bank" else {live.count}
        os._exit(0 if len(counts) == 1 else 3)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
going = False
"""
)

_EXIT = (
    _LIVE
    + """
if planted:
    atexit.unregister(ending._end)
for thread in threads:
    thread.start()
time.sleep(float(sys.argv[4]))
"""
)


def _python(
    code: str, *arguments: object, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        python(code, *arguments),
        capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


def forks(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """Fork while threads push; planted: a lock that a child finds held."""
    each = max(1, tries // 2)
    for kind in ("stream", "bank"):
        found = _python(_FORK, place.model, kind, planted, 8 if planted else each, timeout=300)
        codes = found.stdout.split()
        for code in codes:
            yield None if code == "0" else f"{kind}: a child ended with {code}"
        if found.returncode:
            yield f"{kind}: the parent ended with {found.returncode}: {found.stderr[-200:]}"
        if planted and set(codes) != {"0"}:
            return


def exits(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """End while daemon threads push; planted: Python's end waits for nobody."""
    for number in range(tries):
        kind = ("stream", "bank")[number % 2]
        code = _python(_EXIT, place.model, kind, planted, 0.02 + 0.01 * (number % 5)).returncode
        yield None if code == 0 else f"{kind}: it ended with {code}"
        if planted and code:
            return


def _table(place: Place) -> Path:
    """Write a folder of tables for the place's model."""
    import pandas as pd

    model = rg.load(place.model, device="cpu", threads=1)
    folder = place.room / "tables"
    if not folder.is_dir():
        folder.mkdir()
        for number in range(6):
            rows = rows_of(model, 30_000)
            frame = pd.DataFrame(rows, columns=model.schema.feature_names)
            frame.insert(0, "symbol", f"s{number}")
            frame.to_parquet(folder / f"s{number}.parquet", index=False)
    return folder


_FOLDER = """
import contextlib, sys
from regimetry import errors
from regimetry.scale import predict, run
source, model, output, planted = *sys.argv[1:4], sys.argv[4] == "True"
if planted:
    @contextlib.contextmanager
    def nobody(output):
        output.mkdir(parents=True, exist_ok=True)
        yield
    run.alone = nobody
try:
    predict(source, model, output=output)
except errors.DataError as error:
    print(error)
    raise SystemExit(2)
"""


def two_writers(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """Start two runs into one folder; planted: nobody looks whether one is there."""
    source = _table(place)
    for number in range(tries):
        output = place.room / f"labels-{planted}-{number}"
        runs = [
            subprocess.Popen(
                python(_FOLDER, source, place.model, output, planted),
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )
            for _ in range(2)
        ]  # fmt: skip
        said = [run.communicate(timeout=300)[0] for run in runs]
        codes = sorted(run.returncode for run in runs)
        files = len(list(output.rglob("*.parquet")))
        busy = sum("is busy" in text for text in said)
        whole = files == 6 and codes in ([0, 2], [0, 0]) and busy == codes.count(2)
        beside = codes == [0, 0]  # one after the other, on a slow machine
        yield None if whole and not beside else f"two runs ended with {codes}, {files} files"


_WRITE = """
import sys
from pathlib import Path
from regimetry.files import replacing
path, content, planted = Path(sys.argv[1]), Path(sys.argv[2]).read_bytes(), sys.argv[3] == "True"
print("ready", flush=True)
while True:
    if planted:
        with path.open("wb") as file:
            for first in range(0, len(content), 4096):
                file.write(content[first : first + 4096])
                file.flush()
    else:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
"""


def kills(place: Place, tries: int, planted: bool) -> Iterator[str | None]:
    """Kill a process that writes a model file; planted: it writes in place."""
    generator, path = random.Random(0), place.room / "killed.onnx"
    for number in range(tries):
        path.write_bytes(place.model.read_bytes())
        arguments = python(_WRITE, path, place.model, planted)
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as writer:
            writer.stdout.readline()
            time.sleep(generator.uniform(0.001, 0.03))
            writer.send_signal(signal.SIGKILL)
        try:
            rg.load(path, device="cpu", threads=1)
            yield None
        except ModelError as error:
            yield f"kill {number}: {error}"
            if planted:
                return


ATTACKS = (
    Attack("forks", 40, forks),
    Attack("exits", 30, exits),
    Attack("two writers", 4, two_writers),
    Attack("kill -9", 30, kills),
)
