"""Progress on a real terminal, Ctrl-C in the middle of the work, and consoles without Unicode."""

import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from places import MODEL
from walks import make_prices

from regimetry.cli import main
from regimetry.files import replacing

COMMAND = [sys.executable, "-I", "-m", "regimetry"]
ROWS = 100_000  # a few seconds of embedding; labels take less than it takes a bar to appear

unix = pytest.mark.skipif(sys.platform == "win32", reason="pseudo terminals are of Unix")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("terminal")
    generator = np.random.default_rng(0)
    close = 1000 * np.exp(np.cumsum(0.01 * generator.standard_normal(ROWS)))
    spread = 0.01 * np.exp(0.3 * generator.standard_normal(ROWS))
    pd.DataFrame({"close": close, "range": spread}).to_csv(path / "long.csv", index=False)
    pd.DataFrame(generator.standard_normal((300, 2)), columns=["a", "b"]).to_csv(
        path / "t.csv", index=False
    )
    return path


@contextmanager
def on_a_terminal(*arguments, folder):
    """Run a verb whose standard error is a terminal; yield the process and the terminal."""
    import fcntl
    import pty
    import termios

    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    with subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=theirs,
        cwd=folder,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            yield process, mine
        finally:
            process.kill()
            os.close(mine)


def read_until(terminal, text, limit_s=300):
    """Read a terminal until it shows ``text`` (to its end for None); return all it showed."""
    seen, until = "", time.monotonic() + limit_s
    while text is None or text not in seen:
        assert time.monotonic() < until, seen
        try:
            part = os.read(terminal, 4096)
        except OSError:  # Linux says so when nobody has it open any more
            part = b""
        if not part:
            assert text is None, seen
            break
        seen += part.decode()
    return seen


@unix
def test_a_terminal_shows_a_bar_with_the_time_left_and_takes_it_away(folder):
    with on_a_terminal("embed", str(MODEL), "long.csv", "-o", "l.npy", folder=folder) as run:
        process, terminal = run
        shown = read_until(terminal, None)
        assert process.wait() == 0
    assert re.search(r"embedding: +\d+%\|.*\d+/100000 \[\d\d:\d\d<\d\d:\d\d", shown)
    assert shown.split("\r")[-1].strip() == ""


def test_a_pipe_shows_nothing(folder):
    result = subprocess.run(
        [*COMMAND, "predict", str(MODEL), "long.csv", "-o", "m.csv"],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert result.stderr.startswith("regimetry: No column reads as a time")  # a note, and no bar
    assert result.stderr.count("\n") == 1
    assert "regime_0" in result.stdout


@unix
def test_a_fit_shows_its_stages(folder):
    with on_a_terminal("fit", "t.csv", "-o", "m.onnx", "--objective", "none", folder=folder) as run:
        process, terminal = run
        shown = read_until(terminal, None)
        assert process.wait() == 0
    places = [shown.index(f"{name:<8} ") for name in ("encoder", "head", "export", "parity")]
    assert places == sorted(places)
    assert re.search(r"parity +90%\|.*\| \d\d:\d\d<\d\d:\d\d", shown)


def files_of(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


@unix
@pytest.mark.parametrize("stage", ["head", "parity"])
def test_ctrl_c_in_any_stage_of_a_fit_leaves_no_file(folder, stage):
    before = files_of(folder)
    with on_a_terminal("fit", "t.csv", "-o", "n.onnx", folder=folder) as run:
        process, terminal = run
        read_until(terminal, f"{stage:<8} ")
        os.killpg(process.pid, signal.SIGINT)
        shown = read_until(terminal, None)
        assert process.wait() == 1
        assert process.stdout.read() == b""
    assert shown.split("\r")[-1].strip() == "" or shown.endswith("regimetry: stopped.\r\n")
    assert "regimetry: stopped." in shown
    assert "Traceback" not in shown
    assert files_of(folder) == before


@unix
def test_ctrl_c_while_embedding_leaves_no_file_and_the_old_one_as_it_was(folder):
    (folder / "old.npy").write_text("old")
    before = files_of(folder)
    for name in ("old.npy", "new.npy"):
        with on_a_terminal("embed", str(MODEL), "long.csv", "-o", name, folder=folder) as run:
            process, terminal = run
            read_until(terminal, "embedding")
            os.killpg(process.pid, signal.SIGINT)
            assert "regimetry: stopped." in read_until(terminal, None)
            assert process.wait() == 1
    assert files_of(folder) == before


@unix
def test_ctrl_c_in_a_walk_keeps_the_refits_that_are_done(folder):
    make_prices(1).to_csv(folder / "walk.csv")
    windows = ("--train", "200", "--refit", "10", "--window-size", "10", "--n-regimes", "2")
    arguments = ("backtest", "walk.csv", *windows, "-o", "walk")
    with on_a_terminal(*arguments, folder=folder) as (process, terminal):
        shown = read_until(terminal, " 2/32 ")
        assert "walking" in shown
        process.send_signal(signal.SIGINT)
        assert "stopped" in read_until(terminal, None)
        assert process.wait(60) == 1
    kept = [path.name for path in (folder / "walk" / "refits").iterdir()]
    assert 2 <= len(kept) < 32
    assert all(name.endswith(".npz") and not name.startswith(".") for name in kept)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_file_is_complete_or_absent(tmp_path, error):
    (tmp_path / "old.csv").write_text("old")

    def write(name):
        with replacing(tmp_path / name) as temporary:
            temporary.write_text("half")
            raise error

    for name in ("old.npy", "new.npy"):
        with pytest.raises((KeyboardInterrupt, OSError)):
            write(name)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"old.csv": "old"}


STRANGE = ["收盘", "prix €", "two\nlines", 'quote"d', "no", "emoji 📈"]


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    """A folder with spaces, a table of strange columns and the model fitted on it."""
    path = tmp_path_factory.mktemp("a folder with späces")
    generator = np.random.default_rng(1)
    frame = pd.DataFrame(generator.standard_normal((200, len(STRANGE))), columns=STRANGE)
    frame["groß"] = [f"grün {i % 2}" for i in range(200)]
    frame.index = pd.date_range("2020-01-01", periods=200, name="date")
    frame.to_csv(path / "my täble.csv")
    (path / "run.yaml").write_text(
        "objective: none\nn_regimes: 2\nn_landmarks: 100\ncategorical: [groß]\n"
        "encoder: {embedding_dim: 8, num_heads: 1, head_size: 8}\n",
        encoding="utf-8",
    )
    assert main(["fit", str(path / "my täble.csv"), "-o", str(path / "mödel.onnx"),
                 "--config", str(path / "run.yaml")]) == 0  # fmt: skip
    return path


CODE = """
import json, sys
from regimetry.cli import main
for arguments in json.loads(sys.argv[1]):
    print(main(arguments), flush=True)
    print("-- next", flush=True)
"""
MODEL_AND_TABLE = ["mödel.onnx", "my täble.csv"]


def test_strange_names_on_a_console_without_unicode(strange):
    """Several verbs in one process whose streams can carry ASCII alone."""
    frame = pd.read_csv(strange / "my täble.csv").drop(columns=["收盘"])
    frame.to_csv(strange / "läcking.csv", index=False)
    verbs = [
        ["predict", *MODEL_AND_TABLE],
        ["predict", *MODEL_AND_TABLE, "-o", "läbels.csv"],
        ["inspect", "mödel.onnx"],
        ["config", "--from", "mödel.onnx"],
        ["analyse", *MODEL_AND_TABLE, "--columns", "收盘,prix €", "-o", "öut"],
        ["embed", *MODEL_AND_TABLE, "-o", "embéddings.npy"],
        ["predict", *MODEL_AND_TABLE, "--json"],
        ["inspect", "mödel.onnx", "--json"],
        ["config", "--from", "mödel.onnx", "--json"],
        ["compare", "mödel.onnx", *MODEL_AND_TABLE, "--json"],
        ["predict", "mödel.onnx", "läcking.csv"],
    ]
    result = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(verbs)],
        cwd=strange,
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    *said, _ = result.stdout.decode("ascii").split("-- next\n")
    assert [text.splitlines()[-1] for text in said] == ["0"] * 10 + ["2"]
    _, inspected, configured, _ = (json.loads(text.removesuffix("0\n")) for text in said[6:10])
    assert [column["name"] for column in inspected["schema"]] == [*STRANGE, "groß"]
    assert configured["columns"] == [*STRANGE, "groß"]
    lines = result.stderr.splitlines()
    errors = [line for line in lines if not line.startswith(b"regimetry: no performance")]
    assert rb"Column '\u6536\u76d8' is missing" in errors[0]  # and none of the others had one


def test_strange_names_on_a_stream(strange, stream):
    record = pd.read_csv(strange / "my täble.csv").iloc[0].to_dict()
    for line in (json.dumps(record), json.dumps(record, ensure_ascii=False)):
        (answer,) = stream(line, model=strange / "mödel.onnx")
        assert "error" not in answer
        assert answer["regime"] is None


def test_paths_are_the_platforms(strange, tmp_path, monkeypatch):
    """A backslash separates folders on Windows and is a letter elsewhere."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    assert main(["sample", "simulated", "--rows", "400", "-o", "sub\\t.csv"]) == 0
    where = "sub/t.csv" if sys.platform == "win32" else "sub\\t.csv"
    assert len(pd.read_csv(where)) == 400
