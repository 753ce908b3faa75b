"""`regimetry search` in full: worker processes, a folder, a stop, a resumption."""

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

import regimetry as rg
from regimetry.cli import main
from regimetry.configuration import Configuration
from regimetry.configuration.reading import resolve
from regimetry.errors import RegimetryError
from regimetry.files import TEMPORARY
from regimetry.search import run as running
from regimetry.search.store import Store
from regimetry.search.worker import THREAD_VARIABLES, share_of

QUICK = """
objective: none
n_landmarks: 100
encoder: {embedding_dim: 8, num_heads: 1, head_size: 8, ff_dim: 8, num_transformer_blocks: 1}
"""
GRID = ["--window-size", "5,300", "--n-regimes", "2,3"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table of three states, and the search of it."""
    path = tmp_path_factory.mktemp("search")
    assert main(["sample", "simulated", "--rows", "500", "-o", str(path / "sim.csv")]) == 0
    (path / "quick.yaml").write_text(QUICK)
    assert main([*search(path, jobs=2), *GRID]) == 0
    return path


def search(folder, out="out", data="sim.csv", jobs=1):
    arguments = ["search", str(folder / data), "-o", str(folder / out)]
    return [*arguments, "--config", str(folder / "quick.yaml"), "--jobs", str(jobs)]


def trials(folder, out="out"):
    return {path.name: json.loads(path.read_text()) for path in (folder / out / "trials").iterdir()}


def test_the_table_is_ranked_and_its_best_is_one_that_fit_takes(folder, run):
    table = pd.read_csv(folder / "out" / "table.csv")
    assert table["window_size"].tolist() == [5, 5, 300, 300]
    assert sorted(table["n_regimes"][:2]) == [2, 3]
    assert table["rank"][:2].is_monotonic_increasing
    assert table["failure"].isna().tolist() == [True, True, False, False]
    assert table["failure"][2].startswith("A half has 250 rows; 1671 are needed")
    assert table["stability"][:2].between(-1, 1).all()
    best = folder / "out" / "best.yaml"
    assert resolve(best, {}).n_regimes == table["n_regimes"][0]
    assert f"stability {table['stability'][0]:.3f}" in best.read_text()
    run("fit", folder / "sim.csv", "-o", folder / "best.onnx", "--config", best)
    contract = rg.load(folder / "best.onnx").contract
    assert (contract.window_size, contract.n_regimes) == (5, table["n_regimes"][0])
    assert contract.training.configuration["encoder"]["num_heads"] == 1


def test_a_search_goes_on_where_it_was(folder, run):
    before = trials(folder)
    again = next(name for name, trial in before.items() if "scores" in trial)
    times = {path: path.stat().st_mtime_ns for path in (folder / "out" / "trials").iterdir()}
    (folder / "out" / "trials" / again).unlink()
    (folder / "out" / "table.csv").unlink()
    captured = run(*search(folder), *GRID, "--json")
    assert "3 of 4 configurations are done already" in captured.err
    found = json.loads(captured.out)
    assert [trial["rank"] for trial in found["trials"]][2:] == [None, None]
    assert found["best"] == found["trials"][0]
    assert found["horizon"] == 14
    touched = [path.name for path, t in times.items() if path.stat().st_mtime_ns != t]
    assert touched == [again]
    # The same scores as the first time, in another process.
    found, expected = trials(folder)[again]["scores"], before[again]["scores"]
    assert found.pop("n_regimes", None) == expected.pop("n_regimes", None)
    assert found == pytest.approx(expected, rel=1e-9)
    assert len(pd.read_csv(folder / "out" / "table.csv")) == 4


def test_another_search_is_refused_until_told(folder, refuses):
    before = trials(folder)
    names, _, rows = (folder / "sim.csv").read_text().partition("\n")
    (folder / "other.csv").write_text(f"{names}\n{rows.replace('1', '2')}")
    for other, *arguments in (
        ("configuration, grid", *search(folder), "--window-size", "5,300"),
        ("configuration", *search(folder), *GRID, "--seed", "1"),
        ("data", *search(folder, data="other.csv"), *GRID),
    ):
        refuses(f"holds a search with other {other}", *arguments)
    assert trials(folder) == before


def test_a_search_where_nothing_fits_fails_and_can_be_begun_anew(folder, run):
    failed = run(*search(folder, "none"), "--window-size", "300,310", code=1)
    assert "None of 2 configurations could be scored" in failed.err
    assert not (folder / "none" / "best.yaml").exists()
    arguments = [*search(folder, "none"), "--window-size", "320,330"]
    run(*arguments, code=2)
    run(*arguments, "--restart", code=1)
    windows = {trial["point"]["window_size"] for trial in trials(folder, "none").values()}
    assert windows == {320, 330}


def test_bad_input_in_one_sentence(folder, refuses):
    before = sorted(folder.iterdir())
    data, some = folder / "sim.csv", ["--n-regimes", "2-3"]
    for message, *arguments in (
        ("nothing to choose from", data),
        ("n_regimes is '2-x'", data, "--n-regimes", "2-x"),
        ("n_regimes is 0", data, "--n-regimes", "1-2,0"),
        ("--jobs is 0", data, *some, "--jobs", "0"),
        ("--trials is 0", data, *some, "--trials", "0"),
        ("There is no file", folder / "none.csv", *some),
        ("would be written over", data, *some, "-o", data),
        ("cannot be made", data, *some, "-o", folder / "a" / "b"),
    ):
        refuses(message, "search", *arguments)
    assert sorted(folder.iterdir()) == before


def test_damaged_records_are_named(tmp_path):
    store = Store(tmp_path / "s", {"grid": {}})
    for text, message in (("{", r"x\.json cannot be read"), ("[]", r"x\.json is no record")):
        (tmp_path / "s" / "trials" / "x.json").write_text(text)
        with pytest.raises(RegimetryError, match=message):
            store.done()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no process groups with SIGINT")
def test_ctrl_c_keeps_what_is_done_and_leaves_nothing_half_written(folder):
    arguments = [*search(folder, "stopped", jobs=2), "--window-size", "5,6", "--n-regimes", "2-40"]
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "regimetry", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    done = folder / "stopped" / "trials"

    def finished():  # a file that is being written has a temporary name
        return [path for path in done.glob("*.json") if not path.name.startswith(TEMPORARY)]

    try:
        while process.poll() is None and not finished():
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers, too
        out, error = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert (process.returncode, out) == (1, "")
    note, stopped = error.splitlines()
    assert note.startswith("regimetry: No column reads as a time")  # once, and not by each worker
    assert stopped == "regimetry: stopped."
    kept = trials(folder, "stopped")  # every file is whole JSON, and none has a temporary name
    assert 1 <= len(kept) < 78
    assert sorted(path.name for path in (folder / "stopped").iterdir()) == ["search.json", "trials"]
    for trial in kept.values():  # a configuration may fail for lack of memory, say
        assert ("scores" in trial) != ("failure" in trial), trial
    wait_for_the_end_of_group(process.pid)  # no worker is left behind


def wait_for_the_end_of_group(number):
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            os.killpg(number, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("a process of the search is still there")


class Fatal:
    """Ends the process that unpickles it."""

    def __reduce__(self):
        return os._exit, (3,)


def test_a_worker_that_dies_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "run_trial", Fatal())
    with pytest.raises(RegimetryError, match=r"A worker process died.*continue with fewer --jobs"):
        running.run_search(
            tmp_path / "none.csv",
            Configuration(),
            iter([{"n_regimes": 2}]),
            Store(tmp_path / "s", {}),
            horizon=5,
            jobs=1,
            tell=print,
        )


def test_workers_keep_to_their_share_of_the_cpus(monkeypatch):
    monkeypatch.setattr(running, "available_threads", lambda: 6)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with running._workers(2) as pool:
        found = [pool.submit(os.getenv, name).result() for name in THREAD_VARIABLES]
        assert found == ["3"] * len(THREAD_VARIABLES)
        if hasattr(os, "sched_getaffinity"):
            mine = os.sched_getaffinity(0)
            size = max(1, len(mine) // 2)
            assert len(pool.submit(os.sched_getaffinity, 0).result()) == size
    assert "OMP_NUM_THREADS" not in os.environ
    shares = [share_of([0, 1, 4, 5, 6], number, 2) for number in range(2)]
    assert shares == [{0, 1}, {4, 5}]
    assert [share_of([7], number, 3) for number in range(3)] == [{7}] * 3
