"""The scoreboard on a stand-in for the recordings."""

import numpy as np
import pytest

from benchmarks.outside import constants
from benchmarks.outside.__main__ import main
from benchmarks.outside.scores import covering, equal_pieces, filled
from benchmarks.outside.sets import SETS, series_of
from benchmarks.outside.toys import TOYS, WITHOUT_REGIMES
from regimetry.regimes.choice import rule


@pytest.fixture
def recordings(tmp_path, monkeypatch):
    """One short recording of two levels, in the place of a set, and published figures."""
    folder = tmp_path / "data" / "recordings"
    folder.mkdir(parents=True)
    states = np.repeat([0, 1, 0, 1], 90).astype(np.int16)
    noise = np.random.default_rng(0).standard_normal((360, 1))
    values = (4.0 * states[:, None] + noise).astype(np.float32)
    np.savez(folder / "skab.npz", **{"one/values": values, "one/states": states})
    (folder / "published.csv").write_text(
        "set,method,series,covering,ami\nSKAB,CLaP,17,0.657,0.381\n"
    )
    monkeypatch.setenv("REGIMETRY_DATA", str(tmp_path / "data"))
    return tmp_path


def test_the_table_has_what_is_there_and_a_run_goes_on(recordings, capsys, monkeypatch):
    arguments = ["--sets", "skab,tssb", "--jobs", "1", "-o", str(recordings / "out")]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    line = next(row for row in shown.splitlines() if row.startswith("| skab"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1] == "1"
    assert 0.0 <= float(cells[2]) <= 1.0
    assert cells[-1] == "0.381 / 0.657"
    assert "| tssb" not in shown
    assert (recordings / "out" / "outside.png").stat().st_size > 1000
    assert line in (recordings / "out" / "outside.md").read_text()
    (found,) = (recordings / "out").glob("skab_*.json")
    before = found.stat().st_mtime_ns
    assert main(arguments) == 0
    assert found.stat().st_mtime_ns == before


def test_constants_are_chosen_without_each_set(recordings, capsys, monkeypatch):
    folder = recordings / "data" / "recordings"
    (folder / "utsa.npz").write_bytes((folder / "skab.npz").read_bytes())
    monkeypatch.setattr(constants, "GRID", {"LEAST_EVIDENCE": (9.0, 0.01), "LEAST_STEPS": (0.07,)})
    arguments = ["--sets", "skab,utsa", "-o", str(recordings / "out")]
    assert constants.main(arguments) == 0
    lines = [row for row in capsys.readouterr().out.splitlines() if "sa" in row or "skab" in row]
    for line in lines:
        _, own, chosen, without = (cell.strip() for cell in line.strip("|").split("|"))
        assert chosen == "0.01 0.07"  # the recording is short: with .025 there is one regime
        assert float(own) == 0.0
        assert float(without) > 0.5
    assert len(lines) == 2
    assert rule.LEAST_EVIDENCE == 0.025


def test_sets_are_series_with_states():
    for name in ("toys", "toys without", "nulls", "simulators"):
        assert name in SETS
        one = series_of(name, (3,))[0]
        values, states = one.load()
        assert values.shape[0] == len(states)
        assert np.isfinite(values).all()
        again, _ = one.load()
        np.testing.assert_array_equal(values, again)
    assert len(series_of("toys", (0, 1, 2))) == 2 * len(TOYS) == 28
    assert len(series_of("toys without", (0, 1, 2))) == 2 * len(WITHOUT_REGIMES) == 10


def test_covering_is_the_overlap_weighted_by_length():
    states = np.array([0, 0, 0, 0, 1, 1])
    assert covering(states, states) == 1.0
    assert covering(states, np.zeros(6, int)) == pytest.approx((4 * 4 / 6 + 2 * 2 / 6) / 6)
    assert covering(states, equal_pieces(6, 2)) == pytest.approx((4 * 3 / 4 + 2 * 2 / 3) / 6)


def test_rows_without_a_label_take_the_nearest():
    assert filled(np.array([-1, -1, 3, -1, -1, -1, 5, -1])).tolist() == [3, 3, 3, 3, 5, 5, 5, 5]
