"""Live series by name, in this process: what they give, what they refuse, what they remember."""

import json
from contextlib import contextmanager

import numpy as np
import onnx
import pytest
from changed import content_of
from full_disk import full_disk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import regimetry as rg
from regimetry.contract.reading import CONTRACT_KEY
from regimetry.errors import ConfigError, DataError
from regimetry.runtime.changes import ChangeRule
from regimetry.serve import carry
from regimetry.serve.carry import carried
from regimetry.serve.folder import StateFolder
from regimetry.serve.live import LiveSeries, SeriesLimits
from regimetry.serve.tensors import RequestError

LAX = ChangeRule(probability=0.0, bars=1)


def folder_at(path, **settings):
    how = {"fsync": False, "log_bytes": 1 << 30, "log_records": 1 << 30, **settings}
    return lambda owner: StateFolder(path, owner, **how)


@contextmanager
def living(model, path=None, *, limits=None, rule=LAX, told=None, **settings):
    """Series that are restored, and closed without a snapshot, as a killed process leaves them."""
    folder = None if path is None else folder_at(path, **settings)
    live = LiveSeries(
        model,
        limits=limits or SeriesLimits(series=20, client_series=20),
        rule=rule,
        folder=folder,
        tell=lambda _, made: None if told is None else told.extend(made()),
    )
    try:
        live.said = live.restore()
        yield live
    finally:
        if live.memory._folder is not None:
            live.memory._folder.close()


def same(found, expected):
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, two)


PUSHES = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=25), min_size=1, max_size=6)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pushes=PUSHES, records=st.integers(1, 4))
def test_replay_is_the_bank_at_every_prefix(live, tmp_path_factory, pushes, records):
    model, values = live
    path = tmp_path_factory.mktemp("state")
    bank, numbers, came = model.bank(0, capacity=4), {}, {}
    for push in pushes:
        names = [f"series {one}" for one in push]
        rows = np.array([values[(7 * one + came.get(one, 0)) % 300] for one in push])
        for one in push:
            came[one] = came.get(one, 0) + 1
            if one not in numbers:
                numbers[one] = int(bank.add()[0])
        ticks = bank.push([numbers[one] for one in push], rows)
        with living(model, path, log_records=records) as again:  # restored before every push
            answers = again.push("", names, rows)
            assert again.count == len(numbers)
        labelled = answers.regime >= 0
        assert np.flatnonzero(labelled).tolist() == ticks.row.tolist()
        same(
            [answers.regime[labelled], answers.probability[labelled], answers.novelty[labelled]],
            [ticks.regime, ticks.probability, ticks.novelty],
        )
        last = {one: answers.came[place] for place, one in enumerate(push)}
        assert last == {one: came[one] for one in last}


def test_a_push_is_all_or_nothing(model, values, tmp_path):
    with living(model, tmp_path / "state") as live:
        live.push("", ["a"], values[:1])
        size = live.memory.log_bytes
        bad = np.array([values[1], [np.inf] * 4])
        with pytest.raises(DataError, match="holds inf"):
            live.push("", ["a", "new"], bad)
        assert (live.count, live.memory.log_bytes) == (1, size)
        assert live.look("", "a")["count"] == 1
        with pytest.raises(RequestError, match="no series 'new'"):
            live.look("", "new")
        with full_disk(size + 20), pytest.raises(RequestError, match="log cannot be") as caught:
            live.push("", ["a", "new"], values[1:3])
        assert caught.value.status == 507
        assert (live.count, live.memory.log_bytes) == (1, size)
        live.push("", ["a", "new"], values[1:3])
    with living(model, tmp_path / "state") as live:
        assert [live.look("", name)["count"] for name in ("a", "new")] == [2, 1]


def test_a_torn_record_is_cut_and_said(model, values, tmp_path):
    with living(model, tmp_path) as live:
        for t in range(3):
            live.push("", ["a"], values[t : t + 1])
    (log,) = tmp_path.glob("journal-*")
    log.write_bytes(log.read_bytes()[:-5])
    with living(model, tmp_path) as live:
        assert "restored 1 series, 2 steps" in live.said
        assert "of a record that was not complete are cut off" in live.said
        assert live.look("", "a")["count"] == 2


def test_a_full_disk_at_a_snapshot_keeps_the_log(model, values, tmp_path, caplog):
    with living(model, tmp_path, log_records=5) as live:
        for t in range(5):
            live.push("", ["a"], values[t : t + 1])
        with full_disk(live.memory.log_bytes + 900):
            live.push("", ["a"], values[5:6])
        assert (live.memory.snapshots, live.memory.failed) == (0, 1)
        assert "The snapshot cannot be written (File too large)" in caplog.text
    with living(model, tmp_path, log_records=5) as live:
        assert live.look("", "a")["count"] == 6
        for t in range(6, 9):
            live.push("", ["a"], values[t : t + 1])
        assert live.memory.snapshots == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "journal-00000001.log",
        "snapshot-00000001.npz",
    ]


def test_what_is_damaged_or_of_another_model_is_refused(model, shipped, values, tmp_path):
    with living(model, tmp_path, log_records=1) as live:
        live.push("", ["a"], values[:1])
        live.push("", ["a"], values[1:2])
        with pytest.raises(DataError, match="is busy"):
            living(model, tmp_path).__enter__()
        live.push("", ["b"], values[2:3])
    with pytest.raises(DataError, match="restore it with the model file that made it"):
        living(shipped, tmp_path).__enter__()
    (snapshot,) = tmp_path.glob("snapshot-*")
    snapshot.write_bytes(snapshot.read_bytes()[:-40])
    with pytest.raises(DataError, match="cannot be read"):
        living(model, tmp_path).__enter__()


def test_quotas(model, values):
    limits = SeriesLimits(series=3, client_series=2, rows=4)
    with living(model, limits=limits) as live:
        live.push("one", ["a", "b"], values[:2])
        for client, names, message in (
            ("one", ["c"], "this client has 2, and 2 are allowed"),
            ("two", ["c", "d"], "this server has 2, and 3 are allowed"),
        ):
            with pytest.raises(RequestError, match=message) as caught:
                live.push(client, names, values[: len(names)])
            assert caught.value.status == 429
        with pytest.raises(RequestError, match="has 5 rows; 4 are allowed") as caught:
            live.push("one", ["a"] * 5, values[:5])
        assert caught.value.status == 413
        live.push("two", ["a"], values[:1])
        assert [live.look(client, "a")["count"] for client in ("one", "two")] == [1, 1]
        live.drop("one", "b")
        live.push("one", ["c"], values[:1])
        assert live.look("one", "c")["count"] == 1  # in the place of b, and new
        for name in ("", "x" * 10_000, "a/b", "a\nb"):
            with pytest.raises(RequestError, match="1 to 256 printable") as caught:
                live.push("one", [name], values[:1])
            assert len(str(caught.value)) < 200


def test_idle_series_are_dropped_and_stay_so(model, values, tmp_path):
    now = 0.0
    limits = SeriesLimits(idle_s=100)
    folder = folder_at(tmp_path)
    live = LiveSeries(model, limits=limits, rule=LAX, folder=folder, clock=lambda: now)
    live.restore()
    live.push("", ["a", "b"], values[:2])
    now = 90.0
    live.push("", ["a"], values[:1])
    now = 111.0
    assert live.look("", "a")["count"] == 2
    with pytest.raises(RequestError, match="an idle one is dropped"):
        live.look("", "b")
    assert (live.count, live.idle_dropped) == (1, 1)
    live.memory._folder.close()
    with living(model, tmp_path) as again:
        assert again.count == 1


def test_changes_are_told_once_across_a_restart(shipped, tmp_path):
    rule, rows, told = ChangeRule(probability=0.8, bars=3), volatile(), []
    with living(shipped, told=told, rule=rule) as live:
        live.push("me", ["a"] * len(rows), rows, [f"t{i}" for i in range(len(rows))])
    expected = [one.change for one in told]
    assert [one["to"] for one in expected] == ["regime_1", "regime_2", "regime_1", "regime_2"]
    assert [one["from"] for one in expected] == [None, "regime_1", "regime_2", "regime_1"]
    assert [one["time"] for one in expected] == [f"t{one['count'] - 1}" for one in expected]
    assert {(one.client, one.series) for one in told} == {("me", "a")}
    json.dumps(expected, allow_nan=False)
    del told[:]
    for part in np.array_split(np.arange(len(rows)), 40):
        with living(shipped, tmp_path, told=told, rule=rule, log_records=7) as live:
            times = [f"t{i}" for i in part]
            live.push("me", ["a"] * len(part), rows[part], times)
    found = [one.change for one in told]
    assert [one.pop("probability") for one in found] == pytest.approx(
        [one.pop("probability") for one in expected]
    )
    assert found == expected


def volatile():
    """600 bars whose volatility changes three times."""
    random = np.random.default_rng(1)
    scale = np.repeat([0.005, 0.03, 0.005, 0.03], 150)
    close = 100 * np.exp(np.cumsum(random.normal(size=600) * scale))
    return np.column_stack([close, np.abs(random.normal(size=600)) * scale * 2 + 0.001])


def other(model, **changes):
    """The same model as another file, its contract changed."""
    graph = onnx.load_from_string(model.content)
    (entry,) = [one for one in graph.metadata_props if one.key == CONTRACT_KEY]
    contract = json.loads(entry.value)
    for name, change in changes.items():
        contract[name] = change(contract[name])
    entry.value = json.dumps(contract)
    return rg.RegimeModel(content_of(graph), device="cpu", threads=1)


def swapped_names(regimes):
    """The first two regimes under each other's name."""
    names = [one["name"] for one in regimes]
    names[:2] = names[1::-1]
    return [{**one, "name": name} for one, name in zip(regimes, names, strict=True)]


def replaced(model, new, rows, path, told):
    """Push rows, replace the model, kill, restore under the new one and push one row more."""
    with living(model, path, told=told, rule=ChangeRule(probability=0.0, bars=1)) as live:
        live.push("", ["a"] * (len(rows) - 1), rows[:-1])
        how = live.replace(new)
    with living(new, path, told=told, rule=ChangeRule(probability=0.0, bars=1)) as live:
        assert live.look("", "a")["count"] == len(rows) - 1
        return how, live.push("", ["a"], rows[-1:])


def test_a_model_of_the_same_rows_and_recursion_takes_all_over(shipped, tmp_path):
    rows, told = volatile()[:200], []
    with living(shipped) as alone:
        expected = alone.push("", ["a"] * 200, rows)
    how, found = replaced(
        shipped, other(shipped, smooth_penalty=lambda old: old + 1), rows, tmp_path / "a", told
    )
    assert how == "state"
    same(found, [array[-1:] for array in expected])
    before = [one.change["to"] for one in told]
    # The regimes' names changed places: costs and what was told go with the names.
    new, again = other(shipped, regimes=swapped_names), []
    how, found = replaced(shipped, new, rows, tmp_path / "b", again)
    assert how == "state"
    assert found.probability.shape == (1, 3)
    assert not np.allclose(found.probability, expected.probability[-1:])
    assert [one.change["to"] for one in again[: len(before)]] == before


@pytest.mark.parametrize("field", ["jump_penalty", "sharpness"])
def test_a_model_of_another_recursion_reads_the_last_rows_anew(shipped, tmp_path, field):
    rows = volatile()[:200]
    new = other(shipped, **{field: lambda old: old * 2})
    how, found = replaced(shipped, new, rows, tmp_path, [])
    assert how == "rows"
    with living(new) as alone:
        expected = alone.push("", ["a"] * (new.rows + 1), rows[-new.rows - 1 :])
    same(found[1:], [array[-1:] for array in expected[1:]])


def test_the_rows_of_many_series_are_read_anew_part_by_part(shipped, monkeypatch):
    monkeypatch.setattr(carry, "_AT_ONCE", 3)
    names, rows = [f"s{i}" for i in range(8)], volatile()[:328].reshape(8, 41, 2)
    new = other(shipped, sharpness=lambda old: old * 2)
    with living(shipped) as live, living(new) as alone:
        live.push("", ["gone", "short"], rows[0, :2])
        live.drop("", "gone")
        for each in range(8):
            live.push("", names[each : each + 1] * 40, rows[each, :40])
            alone.push("", names[each : each + 1] * 37, rows[each, 3:40])
        assert live.replace(new) == "rows"
        found, expected = (one.push("", names, rows[:, 40]) for one in (live, alone))
        same(found[1:], expected[1:])
        assert found.came.tolist() == [41] * 8
        assert live.push("", ["short"], rows[0, 2:3]).came.tolist() == [2]


def test_a_model_of_other_columns_begins_anew(model, bars_model, shipped, values, tmp_path):
    assert carried(model, bars_model) == carried(shipped, model) == "nothing"
    with living(model, tmp_path) as live:
        live.push("", ["a", "gone", "b"], values[:3])
        live.drop("", "gone")
        assert live.replace(shipped) == "nothing"
    with living(shipped, tmp_path) as live:
        assert live.count == 2
        answers = live.push("", ["b"], np.array([[1.0, 1.0]]))
        assert (answers.came.tolist(), answers.regime.tolist()) == ([2], [-1])


def test_a_replacement_that_cannot_be_remembered_is_refused(model, bars_model, values, tmp_path):
    with living(model, tmp_path) as live:
        live.push("", ["a"], values[:1])
        with full_disk(100), pytest.raises(RequestError, match="snapshot cannot be written"):
            live.replace(bars_model)
        assert live.model is model
        live.push("", ["a"], values[1:2])
    with living(model, tmp_path) as live:
        assert live.look("", "a")["count"] == 2


def test_nothing_is_taken_before_all_is_restored(model, values, tmp_path):
    live = LiveSeries(model, limits=SeriesLimits(), rule=LAX, folder=folder_at(tmp_path))
    for ask in (
        lambda: live.push("", ["a"], values[:1]),
        lambda: live.look("", "a"),
        lambda: live.drop("", "a"),
    ):
        with pytest.raises(RequestError, match="being restored") as caught:
            ask()
        assert caught.value.status == 503
    live.restore()
    live.push("", ["a"], values[:1])
    live.memory._folder.journal.is_broken = True
    with pytest.raises(RequestError, match="Start the service again") as caught:
        live.push("", ["a"], values[:1])
    assert caught.value.status == 503
    live.close()


def test_a_model_that_gathers_bins_has_no_live_series(model):
    with pytest.raises(ConfigError, match="gathers no rows in bins"):
        LiveSeries(model.with_rules(resample="1h"), limits=SeriesLimits(), rule=LAX)
