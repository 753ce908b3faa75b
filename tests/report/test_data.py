"""What a report gathers: the drawn column, the recent stretch, the maps, the words."""

from dataclasses import replace

import numpy as np
import pytest

from regimetry.analysis import analyse_labels
from regimetry.contract import Candidate
from regimetry.errors import DataError
from regimetry.report import words
from regimetry.report.axis import TimeAxis
from regimetry.report.data import Drawn, choose_drawn
from regimetry.report.embedding_maps import embedding_maps, principal_components
from regimetry.report.tables import (
    count_table,
    drift_tables,
    dwell_table,
    regime_table,
)

WALK = 50 * np.exp(np.cumsum(0.01 * np.random.default_rng(0).standard_normal(400)))
NOISE = np.random.default_rng(1).standard_normal(400)


def test_axis_reads_times_numbers_and_bars():
    days = TimeAxis.of(np.array(["2020-01-01", "2020-01-02T12:30"], "datetime64[ns]"), "date")
    assert days.dated
    assert [days.text(0), days.text(1)] == ["2020-01-01", "2020-01-02 12:30"]
    assert days.where("2020-01-02") == days.values[0] + 86_400_000
    assert days.where("no time") is None
    numbers = TimeAxis.of(np.array([1.5, 2.0]), "t")
    assert (numbers.text(0), numbers.text(1), numbers.where("2")) == ("1.5", "2", 2.0)
    assert TimeAxis.of(np.arange(3), None).name == "row"


def test_the_drawn_column_is_the_price_or_says_why_not():
    columns = {"x": NOISE, "Close": WALK, "level": WALK * 2, "text": np.array(["a"] * 400, object)}
    assert choose_drawn(columns, ("x",)).name == "Close"
    assert choose_drawn(columns, ("x",), "x").name == "x"
    del columns["Close"]
    found = choose_drawn(columns, ("missing", "x"))
    assert found.name == "x"
    assert "these could be the price: level" in found.note
    for asked in ("text", "nothing"):
        with pytest.raises(DataError, match=f"no column of numbers '{asked}'.*level"):
            choose_drawn(columns, ("x",), asked)
    with pytest.raises(DataError, match="no column of numbers to draw"):
        choose_drawn({"close": columns["text"]}, ("close",))


def test_the_report_counts_what_the_analysis_counts(made):
    data = made(900)
    found = analyse_labels(data.labels, 3, probability=data.probability)
    np.testing.assert_array_equal(data.analysis.share, found.share)
    table = regime_table(data)
    assert table.header[:3] == ("regime", "share", "spells")
    for i, row in enumerate(table.rows):
        assert row[1] == f"{(data.labels == i).sum() / (data.labels >= 0).sum():.1%}"
        held = np.concatenate([[np.nan], np.diff(data.drawn.values) / data.drawn.values[:-1]])
        held = held[(data.labels == i) & ~np.isnan(held)]
        assert row[6] == f"{held.std(ddof=1) * np.sqrt(252):.1%}"
    assert dwell_table(data).regimes == (0, 1, 2)
    facts = dict((title, value) for title, value, _ in words.headline(data))
    assert facts["Last regime"] == f"regime_{data.labels[-1]}"


def test_drift_is_of_the_bars_behind_training_or_of_the_last_fifth_and_is_told(made):
    inside = made(900, training={"start": "2019-01-01", "end": "2021-06-18"})
    assert not inside.drift.after_training
    assert inside.drift.training == (20, 720)
    assert "last fifth" in words.drift_words(inside)
    behind = made(900, training={"start": "2019-02-01", "end": "2020-12-31"})
    assert behind.drift.after_training
    cut = (np.datetime64("2021-01-01") - np.datetime64("2019-01-01")).astype(int)
    rows = behind.contract.window_rows
    assert behind.drift.training == (31, cut)
    assert behind.drift.recent == (cut + rows - 1, 900)
    lines, shares = drift_tables(behind)
    assert [row[0] for row in lines.rows] == ["novelty", "occupancy", "transitions", "dwell"]
    recent = behind.labels[cut + rows - 1 :]
    assert shares.rows[0][2] == f"{(recent == 0).mean():.1%}"
    calm = made(1600, training={"start": "2019-01-01", "end": "2022-01-01"})
    labels = calm.labels.copy()
    labels[calm.drift.recent[0] :] = 2
    moved = made(1600, labels=labels, training={"start": "2019-01-01", "end": "2022-01-01"})
    assert moved.drift.drift.drifted
    assert not calm.drift.drift.drifted
    assert dict((t, v) for t, v, _ in words.headline(moved))["Drift"].startswith("in ")


def test_why_drift_is_not_computed(made):
    for training, reason in (
        ({"start": "2000-01-01", "end": "2001-01-01"}, "No row of training is among the data"),
        ({"start": "2019-01-01", "end": "2020-08-20"}, "a window within it needs 37"),
        ({"start": "2019-01-01", "end": "2019-02-10"}, "drift needs at least"),
    ):
        data = made(600, training=training)
        assert data.drift is None
        assert reason in words.drift_words(data)
        assert drift_tables(data) is None


def test_prices_that_are_not_positive_and_labels_of_another_model(made):
    data = made(300, drawn=Drawn("x", np.linspace(-1, 1, 300)))
    assert data.performances == {}
    assert "prices must be positive" in data.notes["performance"]
    assert len(regime_table(data).header) == 6
    labels = np.full(300, 5)
    with pytest.raises(DataError, match="They come from another model"):
        made(300, labels=labels)


def test_the_count_of_regimes_is_read_from_candidates_or_eigenvalues(made):
    table = count_table(made(300))
    assert table.header == ("regimes", "eigenvalue", "gap to the next")
    assert table.marked == 2
    assert float(table.rows[0][2]) == pytest.approx(1 - 0.95668, abs=1e-4)
    two = Candidate(window_size=20, n_regimes=2, score=0.4, smallest_share=0.4, chosen=True)
    others = [
        replace(two, n_regimes=3, score=0.3, chosen=False, refused="K = 2 scores 0.40"),
        replace(two, window_size=40, score=0.1, chosen=False, refused="it does not last"),
        replace(two, window_size=40, n_regimes=3, score=0.2, chosen=False, refused="nor does it"),
    ]
    data = made(300, training={"candidates": (two, *others)})
    table = count_table(data)
    assert table.header[:4] == ("window size", "regimes", "score", "smallest share")
    assert "chosen" not in table.header
    assert [row[:3] for row in table.rows] == [
        ("20", "2", "0.4"),
        ("20", "3", "0.3"),
        ("40", "3", "0.2"),
    ]
    assert table.marked == 0
    assert "2 regimes with windows of 20 score 0.40; the next best" in words.choice_words(data)
    assert count_table(made(300, training={"eigenvalues": ()})) is None


def test_principal_components_are_the_singular_vectors_or_nothing():
    wide = np.random.default_rng(3).standard_normal((200, 6)) @ np.diag([5, 3, 1, 1, 1, 0.0])
    wide[:, 1] += wide[:, 0]
    points, share = principal_components(wide, 2)
    scaled = (wide - wide.mean(axis=0)) / np.where(wide.std(axis=0) > 0, wide.std(axis=0), np.inf)
    u, s, _ = np.linalg.svd(scaled, full_matrices=False)
    np.testing.assert_allclose(np.abs(points), np.abs(u[:, :2] * s[:2]), atol=1e-9)
    np.testing.assert_allclose(share, s[:2] ** 2 / (s**2).sum())
    for n in (1, 30):
        labels = np.append(np.zeros(n + 3, int), -1)
        labels[:3] = -1  # no window yet, and none at the end: a value is missing there
        (found,) = embedding_maps(np.ones((n, 4)), labels, umap=False)
        np.testing.assert_array_equal(found.bars, np.arange(3, n + 3))
        np.testing.assert_array_equal(found.points, 0)
