"""Features compared: the same fit as the product's, nothing seen of later rows, honest verdicts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import regimetry as rg
from benchmarks.encoders import ticks as ticks_module
from benchmarks.encoders import unit as unit_module
from benchmarks.encoders.__main__ import main
from benchmarks.encoders.conditions import (
    delay,
    gain,
    no_loss,
    on_recordings,
    one_regime,
    tails,
    tick,
    transfer,
)
from benchmarks.encoders.differences import between, difference
from benchmarks.encoders.features import NAMES, features_of, spectrum_and_quantiles
from benchmarks.encoders.fitted import fit
from benchmarks.encoders.sets import SETS, load, n_states, score, series_of, tasks_of
from benchmarks.encoders.tables import write_tables
from benchmarks.encoders.unit import Unit
from benchmarks.encoders.work import COLUMNS, plan
from benchmarks.outside.scores import filled
from benchmarks.outside.sets import Series
from regimetry.encoder.config import EncoderConfig
from regimetry.fit.options import FitOptions
from regimetry.series.simulators import simulate

ALONE = EncoderConfig(embedding_dim=64, pooling="moments", convolutions="alone")


@pytest.mark.parametrize(
    ("name", "encoder", "evidence", "window_size", "n_regimes"),
    [
        ("convolutions", ALONE, "window", 20, 3),
        ("convolutions", ALONE, "window", "auto", "auto"),
        ("convolutions", ALONE, "window", 20, "auto"),
        ("pretrained", "pretrained", "auto", 10, 3),
        ("untrained", EncoderConfig(embedding_dim=64, pooling="moments"), "auto", 10, 3),
    ],
)
def test_labels_are_those_of_the_product(name, encoder, evidence, window_size, n_regimes):
    values = simulate("s2", n_rows=700, seed=3).values
    detector = rg.RegimeDetector(
        encoder=encoder, evidence=evidence, window_size=window_size, n_regimes=n_regimes,
        random_state=5,
    ).fit(values)  # fmt: skip
    options = FitOptions(window_size=window_size, n_regimes=n_regimes, seed=5)
    found = fit(features_of(name), values, options, bars=evidence == "auto")
    ours = found["bars" if evidence == "auto" else "window"]
    assert ours.window_size == detector.model_.contract.window_size
    assert ours.n_regimes == detector.n_regimes_
    np.testing.assert_array_equal(ours.causal(values), detector.labels_)
    np.testing.assert_array_equal(filled(ours.offline(values)), detector.smooth(values))
    if evidence == "auto":  # the bars were used, and say something else
        assert ours.refinement is not None
        assert not np.array_equal(found["window"].causal(values), ours.causal(values))


@pytest.mark.parametrize("name", NAMES)
def test_features_read_what_they_say(name):
    rows = np.random.default_rng(0).standard_normal((90, 3)).astype(np.float32)
    features, size = features_of(name), 12
    reach = features.reach(size)
    embed = features.fit([rows], size, 1)
    every = embed(rows, 1)
    assert len(every) == len(rows) - reach - size + 1
    np.testing.assert_allclose(embed(rows, 7), every[::7], rtol=1e-4, atol=1e-5)
    first = 40  # a row that the windows from here on do not read
    changed = rows.copy()
    changed[first] += 3.0
    moved = np.abs(embed(changed, 1) - every).max(axis=1) > 1e-3
    read = np.arange(len(every))
    assert not moved[(read > first) | (read + reach + size - 1 < first)].any()
    assert moved[first - reach - size + 1 : first + 1].any()


def test_an_octave_has_the_power_of_its_frequencies():
    rows = np.arange(64)
    wave = np.sin(2 * np.pi * rows / 4) + 2.0
    found = spectrum_and_quantiles(np.stack([wave, np.sin(2 * np.pi * rows / 32)])[:, :, None])
    assert found.shape == (2, 6 + 5)  # frequencies 1, 2 to 3, 4 to 7, 8 to 15, 16 to 31, 32
    assert found[0, :6].argmax() == 4
    assert found[1, :6].argmax() == 1
    assert found[0, 8] == pytest.approx(2.0, abs=1e-6)  # the median


@pytest.mark.parametrize("name", ["pretrained", "statistics"])
def test_out_of_sample_nothing_knows_the_later_rows(name):
    series = Series("simulators", "s3", 1)
    values, _ = load(series)
    values = values[:500]
    cut = 300
    changed = values.copy()
    changed[cut:] = 5.0 + 9.0 * np.random.default_rng(0).standard_normal((200, 3))

    def labels(values, *, training):
        unit = Unit(name, series, training=training, window_size=10, bars=True)
        found = unit.fitted(values)
        return [found[evidence].causal(values)[:cut] for evidence in ("window", "bars")]

    for before, after in zip(labels(values, training=True), labels(changed, training=True),
                             strict=True):  # fmt: skip
        np.testing.assert_array_equal(before, after)
    whole = zip(labels(values, training=False), labels(changed, training=False), strict=True)
    assert all(not np.array_equal(before, after) for before, after in whole)


def test_paired_differences_by_hand():
    ours, theirs = np.array([0.5, 0.6, 0.9, 0.4]), np.array([0.4, 0.6, 0.5, 0.405])
    found = difference(ours, theirs)
    assert found.mean == pytest.approx(0.495 / 4)
    assert (found.better, found.worse, found.count) == (2, 0, 4)
    assert -0.005 <= found.low < found.mean < found.high <= 0.4
    back = difference(theirs, ours)
    assert (back.better, back.worse) == (0, 2)
    assert back.high == pytest.approx(-found.low)
    same = difference(ours, ours - 0.1)
    assert (same.low, same.high) == pytest.approx((0.1, 0.1))
    noise = np.random.default_rng(1).standard_normal(400)
    spread = difference(noise, np.zeros(400))  # 1.96 standard errors, about
    assert spread.high - spread.low == pytest.approx(2 * 1.96 * noise.std() / 20, rel=0.1)


def made_up(scores, **more):
    """Return results: a score for each features, column and series."""
    common = {"states": 2, "chosen": False, "n_regimes": 2, "window": 10, "seconds": 1.0,
              "evidence": "window", "task": "causal", "delay": 5.0} | more  # fmt: skip
    rows = [
        {**common, "features": name, "column": column, "series": str(number), "score": value}
        for name, columns in scores.items()
        for column, values in columns.items()
        for number, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_differences_are_of_the_series_that_both_have():
    table = made_up({"pretrained": {"s1": [0.5, 0.7, 0.9]}, "statistics": {"s1": [0.4, 0.6]}})
    found = between(table, "pretrained", "statistics", ["s1"])
    assert found.count == 2
    assert found.mean == pytest.approx(0.1)
    assert between(table, "pretrained", "hand", ["s1"]) is None
    assert between(table, "pretrained", "statistics", ["s2"]) is None
    table.loc[table.series == "1", "states"] = 1  # of one regime: no score
    assert between(table, "pretrained", "statistics", ["s1"]).count == 1


@pytest.mark.parametrize(
    ("gains", "met"),
    [([0.04, 0.05, 0.03], True), ([0.02, 0.03, 0.02], False), ([0.5, -0.2, 0.0], False)],
)
def test_a_gain_is_large_and_no_chance(gains, met):
    theirs = np.array([0.5, 0.6, 0.7])
    five = [f"s{number}" for number in range(1, 6)]
    scored = {"pretrained": theirs + gains, "untrained": theirs}
    table = made_up({name: dict.fromkeys(five, values) for name, values in scored.items()})
    assert gain(table, "untrained").met is met
    assert gain(table, "statistics").met is None
    assert gain(table[table.column != "s4"], "untrained").met is None  # of five, or of none


def test_regimes_by_tails_and_no_simulator_that_is_worse():
    table = made_up(
        {
            "pretrained": {"s6": [0.1, 0.21, 0.9], "s2": [0.90, 0.90]},
            "convolutions": {"s6": [0.1, 0.1, 0.1], "s2": [0.92, 0.92]},
        }
    )
    assert tails(table).met is True
    assert no_loss(table).met is True
    assert tails(table.assign(score=table.score - 0.02)).met is False
    worse = table.copy()
    worse.loc[(table.column == "s2") & (table.features == "pretrained"), "score"] = 0.88
    found = no_loss(worse)
    assert found.met is False
    assert found.measured == "-0.040 (S2, convolutions)"
    assert tails(table[table.column != "s6"]).met is None
    assert no_loss(table[table.features == "pretrained"]).met is None


def test_what_was_never_seen_is_asked_of_weights_without_it():
    table = made_up({"pretrained": {"s5": [0.85, 0.91, 0.95], "s6": [0.05, 0.09, 0.3]}})
    waveforms, heavy = {"waveform", "kind"}, {"garch", "tails", "jumps"}
    (one,) = transfer(table, waveforms)
    assert (one.text, one.measured, one.met) == ("S5, never seen: at least 0.9", "0.910", True)
    assert [one.met for one in transfer(table, waveforms | heavy)] == [True, False]
    assert transfer(table, {"tails"}) == []  # the regimes of S6 differ in others too, seen
    assert transfer(table[table.column == "s6"], waveforms) == []


def test_recordings_may_speak_against_it():
    theirs = np.full(6, 0.5)
    for less, met in ((0.01, True), (0.03, False), (np.array([0.3, 0, 0.3, 0, 0, 0]), True)):
        table = made_up({"pretrained": {"utsa": theirs - less}, "convolutions": {"utsa": theirs}})
        assert on_recordings(table, "utsa").met is met
    assert on_recordings(table, "skab").met is None


def test_one_regime_must_be_found_everywhere():
    more = {"states": 1, "chosen": True, "task": "offline", "n_regimes": 1}
    table = made_up({"pretrained": {"nulls": [1, 1], "prior": [1]}, "convolutions": {}}, **more)
    assert one_regime(table).met is True
    table.loc[table.column == "prior", "n_regimes"] = 2
    assert one_regime(table).met is False
    assert one_regime(table).measured == "2 of 3 (convolutions: 0 of 0)"
    assert one_regime(table.assign(states=2)).met is None


def test_delay_and_ticks_are_bounded():
    table = made_up({"pretrained": {"s1": [1, 1]}, "convolutions": {"s1": [1, 1]}})
    assert delay(table).met is True
    table.loc[table.features == "pretrained", "delay"] = 5.5
    assert delay(table).met is False
    assert delay(table[table.features == "pretrained"]).met is None
    other = (table.features == "convolutions") & (table.series == "1")
    table.loc[other, ["n_regimes", "delay"]] = [1, 90.0]  # a single label is never late
    assert delay(table).measured == "5.5 against 5.0"
    assert tick({10: {"pretrained": 1.9, "convolutions": 1.0}}).met is True
    both = {
        10: {"pretrained": 1.0, "convolutions": 1.0},
        20: {"pretrained": 2.1, "convolutions": 1},
    }
    assert tick(both).met is False
    assert tick({10: {"pretrained": 2.0}}).met is None


def test_tables_say_what_is_met():
    five = {f"s{number}": [0.9, 0.8] for number in range(1, 6)}
    low = {column: [0.8, 0.7] for column in five}
    given = made_up({"pretrained": {**five, "s6": [0.3]}, "convolutions": {**low, "s6": [0.1]}})
    nulls = {"states": 1, "chosen": True, "task": "offline", "n_regimes": 1}
    ones = made_up({"pretrained": {"nulls": [1, 1]}, "convolutions": {"nulls": [1, 1]}}, **nulls)
    ticks = {10: {"pretrained": 3e-5, "convolutions": 2e-5}}
    text = write_tables(pd.concat([given, ones]), ticks)
    assert "### K given, windows alone\n" in text
    assert "| causal | pretrained | 0.850 | 0.850 |" in text
    assert "| causal | convolutions | +0.100 [+0.100, +0.100] (10:0 of 10) | +0.200" in text
    assert "| S6: at least 0.2 | met: 0.300 |" in text
    assert "10 rows: 1.50" in text
    assert "met: 2 of 2 (convolutions: 2 of 2)" in text
    assert "6 met, 0 not met, 7 not measured." in text
    assert "tssb" not in text  # nothing is known of it: no line
    assert "| pretrained | 2 of 2 |" in text
    with_bars = write_tables(pd.concat([given.assign(evidence="bars"), ones]), ticks)
    bars = with_bars.split("### K given, with bars: conditions")[1]
    assert "met: 2 of 2 (convolutions: 2 of 2)" in bars
    part = given[given.column.isin(["s5", "s6"])]
    unseen = write_tables(part, {}, ["waveform", "kind"])
    assert "| causal | convolutions | +0.100 [+0.100, +0.100] (2:0 of 2) | +0.200" in unseen
    assert "| task | pretrained less | S5 | S6 |" in unseen
    assert "| S5, never seen: at least 0.9 | **not met**: 0.850 |" in unseen
    assert "0 met, 1 not met, 0 not measured." in unseen
    assert "conditions" not in write_tables(part, {}, ["level"])
    slow = write_tables(given, {10: {"pretrained": 5e-5, "convolutions": 2e-5}})
    assert "**not met**: 10 rows: 2.50" in slow
    assert "4 met, 1 not met, 8 not measured." in slow


def test_sets_are_series_with_states_and_a_score():
    assert {s.name for s in series_of("simulators", (3,))} >= {"s1", "s6", "n2"}
    for name in ("simulators", "nulls", "prior", "toys", "toys without"):
        assert name in SETS
        one = series_of(name, (60,))[0]
        values, states = load(one)
        assert len(values) == len(states)
        np.testing.assert_array_equal(load(one)[0], values)
    counts = {n_states(one) for one in series_of("prior", tuple(range(12)))}
    assert len(counts) > 2
    assert tasks_of(Series("tssb", "any")) == ("offline", "causal")
    states = np.repeat([0, 1, 0, 1], 100)
    right = score(Series("simulators", "s2"), states, states, "causal")
    assert (right["score"], right["delay"]) == (1.0, 0.0)
    late = score(Series("simulators", "s2"), states, np.roll(states, 7), "causal")
    assert late["score"] < 1
    assert late["delay"] == 7.0
    assert score(Series("utsa", "any"), states, states, "offline")["score"] == pytest.approx(1.0)


def test_one_regime_is_planned_where_the_number_is_chosen():
    series = [Series("nulls", "noise", 0), Series("simulators", "s2", 0)]
    units = plan(
        ["statistics"], series, ["offline", "out of sample"], [False, True],
        bars=False, window_size=10, weights=None,
    )  # fmt: skip
    assert {(u.series.name, u.training, u.chosen) for u in units} == {
        ("noise", False, True),
        ("s2", False, False),
        ("s2", False, True),
        ("s2", True, False),
        ("s2", True, True),
    }


def test_the_hash_is_of_all_that_a_result_depends_on(monkeypatch):
    series = Series("simulators", "s2", 0)
    units = [
        Unit("pretrained", series),
        Unit("pretrained", Series("simulators", "s2", 1)),
        Unit("pretrained", series, bars=True),
        Unit("pretrained", series, window_size=10),
        Unit("convolutions", series),
    ]
    first = [unit.digest() for unit in units]
    assert len(set(first)) == len(units)
    with monkeypatch.context() as patch:
        patch.setattr(unit_module, "sum_of", lambda weights: "others")
        other = [unit.digest() for unit in units]
        assert [a == b for a, b in zip(first, other, strict=True)] == [False] * 4 + [True]
    assert Unit("convolutions", series, weights=Path("own.npz")).digest() == first[-1]
    monkeypatch.setattr(unit_module, "fingerprint", lambda sources: "other code")
    assert not set(first) & {unit.digest() for unit in units}


def test_a_tick_is_timed_by_the_graph_alone(monkeypatch):
    monkeypatch.setattr(ticks_module, "_COUNT", 20)
    found = ticks_module.time_ticks(["pretrained", "convolutions", "hand"], sizes=(10,))
    assert list(found) == [10]
    assert set(found[10]) == {"pretrained", "convolutions"}
    assert all(1e-6 < seconds < 0.1 for seconds in found[10].values())


def test_a_run_writes_its_tables_and_a_second_run_fits_nothing(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- encoders -->\nold\n<!-- end of encoders -->\nafter\n")
    command = [
        *("--sets", "simulators", "--simulators", "s2", "--seeds", "0", "--n-regimes", "given"),
        *("--features", "pretrained,statistics", "--tasks", "offline,causal", "--window", "10"),
        *("--jobs", "1", "--no-ticks", "-o", str(tmp_path / "out"), "--write", str(page)),
    ]
    assert main(command) == 0
    text = (tmp_path / "out" / "encoders.md").read_text()
    assert text in capsys.readouterr().out
    assert "| offline | window statistics |" in text
    assert "| causal | window statistics | " in text
    assert "python -m benchmarks.encoders --sets simulators" in text
    assert page.read_text() == (
        f"before\n<!-- encoders -->\n{text.strip()}\n<!-- end of encoders -->\nafter\n"
    )
    results = list((tmp_path / "out").glob("*.json"))
    assert len(results) == 2
    before = {path: path.stat().st_mtime_ns for path in results}
    assert main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in results} == before


def test_rows_that_the_product_refuses_have_no_score_and_are_told(tmp_path, capsys):
    # By the training rows of this seed a column is a price; later ones are not positive.
    command = [
        *("--sets", "simulators", "--simulators", "n1", "--seeds", "101", "--n-regimes", "given"),
        *("--features", "statistics", "--tasks", "out of sample", "--window", "10"),
        *("--jobs", "1", "--no-ticks", "-o", str(tmp_path)),
    ]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "No score out of sample: n1 101. Row " in text
    assert "is not positive" in text
    assert "| out of sample | window statistics |" not in text
