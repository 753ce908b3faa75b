"""Series drawn in other processes."""

import itertools
import subprocess
import sys
import time
from contextlib import closing

import numpy as np
import psutil
import pytest

from regimetry.encoder.pretraining import batches
from regimetry.encoder.pretraining.architecture import Geometry
from regimetry.encoder.pretraining.batches import draw_chunk
from regimetry.encoder.pretraining.drawing import chunks
from regimetry.encoder.pretraining.prior import REPEATS, draw_series


def test_a_worker_draws_what_this_process_draws():
    drawn = []
    for workers in (0, 1):
        with closing(chunks(7, 5, without=["tails"], workers=workers)) as source:
            drawn.append(list(itertools.islice(source, 2)))
    for one, other in zip(*drawn, strict=True):
        assert len(one) == len(other) > 0
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a.rows, b.rows)
            np.testing.assert_array_equal(a.windows, b.windows)
    assert not np.array_equal(drawn[0][0][0].rows, drawn[0][1][0].rows)


def test_a_batch_has_the_states_of_the_middle_rows_of_patches():
    size = 40
    geometry = Geometry.of(size)
    for batch in draw_chunk(1, 0, (size,)):
        assert batch.windows.shape == batch.support.shape
        assert batch.states.shape == (*batch.windows.shape, geometry.tokens)
        assert (batch.support.sum(axis=1) == batch.windows.shape[1] // 2).all()
        assert (batch.windows + 1).max() * size + geometry.reach <= batch.rows.shape[1]
        for windows in batch.windows:
            assert len(set(windows.tolist())) == len(windows)
        for series, drawn in enumerate(batch.slots[1]):
            lacking = ~batch.rows[series].any(axis=0)
            assert not drawn[:, :, lacking].any()


@pytest.mark.parametrize(("number", "share"), [(0, 0.0), (12_999, 0.0), (13_000, REPEATS)])
def test_details_of_cycles_come_late(monkeypatch, number, share):
    asked = []

    def drawn(*arguments, repeats, **named):
        asked.append(repeats)
        return draw_series(*arguments, repeats=repeats, **named)

    monkeypatch.setattr(batches, "draw_series", drawn)
    draw_chunk(1, number, (10,))
    assert asked == [share] * 16


PARENT = """
import multiprocessing, time
from regimetry.encoder.pretraining.drawing import chunks
if __name__ == "__main__":
    source = chunks(0, 0, without=(), workers=1)
    next(source)
    print(multiprocessing.active_children()[0].pid, flush=True)
    time.sleep(600)
"""


def is_running(number):
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_no_more_is_drawn_where_a_worker_is_killed():
    with closing(chunks(0, 0, without=(), workers=1)) as source:
        next(source)
        for worker in psutil.Process().children():
            if "spawn_main" in " ".join(worker.cmdline()):
                worker.kill()
        assert len(list(itertools.islice(source, 20))) < 20


def test_workers_end_where_their_parent_is_killed(tmp_path):
    (tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, "parent.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    with parent:
        worker = int(parent.stdout.readline())
        assert is_running(worker)
        parent.kill()
        parent.wait()
    ends = time.monotonic() + 30
    while is_running(worker):
        assert time.monotonic() < ends
        time.sleep(0.05)
