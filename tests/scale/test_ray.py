"""On Ray: the same files as in one process, also where a worker is killed."""

import json
import os
import signal
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pytest
from scale.panels import COLUMNS, LAYOUTS, QUIET, by_key, label_each, panel, write_halves

from regimetry.errors import ConfigError, DataError, InstallError
from regimetry.scale import predict
from regimetry.scale.results import JOURNAL

pytestmark = QUIET


@pytest.fixture(scope="module")
def frame(values):
    return panel(values)


def files_of(folder):
    """The content of every file of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != JOURNAL  # whose lines are in the order of the work
    }


@pytest.mark.parametrize("layout", ["hive", "days"])
def test_the_files_are_those_of_one_process(cluster, single, frame, tmp_path, layout):
    LAYOUTS[layout](frame, tmp_path / "in")
    expected = predict(tmp_path / "in", single, output=tmp_path / "here")
    counted = []
    report = predict(
        tmp_path / "in",
        single,
        output=tmp_path / "there",
        actors=2,
        progress=lambda rows, before: nullcontext(counted.append),
    )
    assert report == expected
    assert files_of(tmp_path / "there") == files_of(tmp_path / "here")
    assert sum(counted) == len(frame)
    assert predict(tmp_path / "in", single, output=tmp_path / "there", ray=True)["done_before"] > 0


def test_a_killed_worker_loses_nothing_and_repeats_nothing(cluster, single, values, tmp_path):
    long = np.tile(values, (20, 1))
    for number in range(6):
        folder = tmp_path / "in" / f"symbol=I{number}"
        folder.mkdir(parents=True)
        bars = pd.DataFrame(long[number : number + 12_000], columns=COLUMNS)
        bars.insert(0, "bar", np.arange(len(bars)))
        bars.to_parquet(folder / "a.parquet", index=False)
    options = {"time_column": "bar", "memory": 1e-3}
    expected = predict(tmp_path / "in", single, output=tmp_path / "here", **options)
    killed = []

    def kill(rows):
        """After the first unit, end a worker that is writing another."""
        if killed:
            return
        for worker in psutil.Process().children(recursive=True):
            if any(".writing-" in file.path for file in worker.open_files()):
                os.kill(worker.pid, signal.SIGKILL)
                killed.append(worker.pid)
                return

    report = predict(
        tmp_path / "in",
        single,
        output=tmp_path / "there",
        actors=2,
        progress=lambda rows, before: nullcontext(kill),
        **options,
    )
    assert len(killed) == 1
    assert not psutil.pid_exists(killed[0])
    assert report == expected
    assert files_of(tmp_path / "there") == files_of(tmp_path / "here")


def test_errors_are_those_of_one_process(cluster, single, frame, tmp_path):
    write_halves(frame.assign(x1=frame["x1"].where(frame.index != 130)), tmp_path / "in")
    with pytest.raises(DataError, match=r"^Row 10 of instrument 'I1', column 'x1' holds nan"):
        predict(tmp_path / "in", single, output=tmp_path / "out", actors=2)
    report = predict(tmp_path / "in", single, output=tmp_path / "out", actors=2, keep_going=True)
    assert list(report["skipped"]) == ["b.parquet"]


def test_a_dataset_gets_its_labels(cluster, single, frame, tmp_path):
    import ray

    shuffled = frame.sample(frac=1, random_state=0)
    dataset = ray.data.from_pandas(shuffled).repartition(5)
    labelled = predict(dataset, single, actors=1)
    blocks = ray.get(labelled.to_arrow_refs())
    found = pa.concat_tables([block for block in blocks if len(block)]).to_pandas()
    rows = found[["symbol", "date"]]
    for _, mine in rows.groupby("symbol"):
        assert mine["date"].is_monotonic_increasing
        assert mine.index.max() - mine.index.min() == len(mine) - 1
    expected = label_each(single, frame)
    pd.testing.assert_frame_equal(
        by_key(found.drop(columns=COLUMNS)), by_key(expected), check_exact=True
    )
    ordered = frame.sort_values(["symbol", "date"], ignore_index=True)
    pd.testing.assert_frame_equal(by_key(found)[COLUMNS], ordered[COLUMNS])


def test_datasets_that_cannot_be(cluster, single, frame):
    import ray

    dataset = ray.data.from_pandas(frame)
    for source, options, kind, message in (
        (dataset, {"by": "name"}, DataError, "The Dataset has no column 'name'"),
        (dataset.drop_columns(["symbol"]), {}, DataError, "names the instruments"),
        (dataset.add_column("regime", lambda _: 1), {}, DataError, "already has the columns reg"),
        (dataset, {"output": "x"}, ConfigError, "output is for files"),
        (frame, {}, DataError, "The source is a DataFrame; a path"),
        (dataset, {"num_gpus": 1}, ConfigError, "the cluster has 0 GPUs"),
    ):
        with pytest.raises(kind, match=message):
            predict(source, single, **options)
    double = ray.data.from_pandas(pd.concat([frame, frame.iloc[[7]]]))
    with pytest.raises(Exception, match="Instrument 'I0' has two rows with 'date' 2020-01-08"):
        predict(double, single, actors=1).materialize()


def test_the_command_starts_a_ray_of_its_own(model_path, single, frame, tmp_path):
    write_halves(frame, tmp_path / "in")
    predict(tmp_path / "in", single, output=tmp_path / "here")
    decoy = tmp_path / "regimetry"  # in the current directory, as in a checkout
    decoy.mkdir()
    (decoy / "__init__.py").write_text("raise ImportError('not the installed package')")
    command = ["predict", str(model_path), "in", "-o", "there", "--ray", "--actors", "1", "--json"]
    run = subprocess.run(
        [sys.executable, "-I", "-m", "regimetry", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"},
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["rows"] == len(frame)
    assert files_of(tmp_path / "there") == files_of(tmp_path / "here")


def test_without_ray_the_extra_is_named(single, frame, tmp_path, monkeypatch):
    write_halves(frame, tmp_path / "in")
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(InstallError, match=r"pip install 'regimetry\[ray\]'"):
        predict(tmp_path / "in", single, output=tmp_path / "out", ray=True)
