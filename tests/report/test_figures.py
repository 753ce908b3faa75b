"""Figures: what is drawn, and that regimes can be told apart."""

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from regimetry.contract import TrainingRecord
from regimetry.regimes.alignment import align
from regimetry.report.axis import TimeAxis
from regimetry.report.colours import NO_REGIME, REGIME_COLOURS, looks_of
from regimetry.report.figures import (
    map_figure,
    price_figure,
    timeline_figure,
    training_figure,
    transition_figure,
)
from regimetry.report.figures.dwell import dwell_figure, length_edges
from regimetry.report.figures.price import regime_steps
from regimetry.report.page import page_figures

# Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868],
                            [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968],
                              [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
}  # fmt: skip


def lab(colour, kind):
    """CIE L*a*b* of a colour as someone sees it."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(BLINDNESS[kind] @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    t = xyz @ seen / np.array([0.9505, 1.0, 1.089])
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def nearest(colours, kind):
    seen = [lab(colour, kind) for colour in colours]
    return min(np.linalg.norm(a - b) for a, b in combinations(seen, 2))


@pytest.mark.parametrize("kind", list(BLINDNESS))
def test_colours_are_told_apart_by_the_colour_blind(kind):
    assert nearest(REGIME_COLOURS, kind) > 15


def test_one_colour_to_a_deuteranope_is_found_and_forty_regimes_look_forty_ways():
    assert nearest(("#9C4030", "#407830"), "none") > 60
    assert nearest(("#9C4030", "#407830"), "deuteranopia") < 3
    looks = looks_of(map(str, range(40)), range(40))
    for kind in ("dash", "symbol", "pattern"):
        assert len({(look.colour, getattr(look, kind)) for look in looks}) == 40
    assert NO_REGIME not in REGIME_COLOURS


def test_a_refit_that_was_aligned_keeps_its_looks(made):
    data = made(300)
    labels = np.array([0, 1, 2])
    alignment, _ = align(labels, labels, data.regimes, 3, old_looks=(0, 2, 1))
    contract = replace(data.contract, training=TrainingRecord(alignment=alignment))
    drawn = page_figures(replace(data, contract=contract))
    lines = [trace.line for trace in drawn["price"].data[1:]]
    for shapes in (lines, [trace.marker for trace in drawn["dwell"].data]):
        assert [shape.color for shape in shapes] == [REGIME_COLOURS[k] for k in (0, 2, 1)]
    assert [look.name for look in data.looks] == data.regimes
    assert [look.colour for look in data.looks] == list(REGIME_COLOURS[:3])


@given(hnp.arrays(np.int64, st.integers(1, 60), elements=st.integers(-1, 2)))
def test_a_regimes_line_holds_its_steps_and_no_other(labels):
    for regime in range(3):
        rows = regime_steps(labels, regime)
        drawn = {(a, b) for a, b in pairwise(rows) if a >= 0 and b >= 0 and a != b}
        assert drawn == {
            (t - 1, t) for t in range(1, len(labels)) if labels[t] == regime
        }  # fmt: skip


def test_price_steps_are_drawn_in_the_colour_of_the_later_bar(made):
    data = made(300)
    figure = price_figure(data.axis, data.drawn.name, data.drawn.values, data.labels, data.looks)
    base, *lines = figure.data
    assert base.meta["base"]
    assert len(base.y) == 300
    assert [line.meta["regime"] for line in lines] == [0, 1, 2]
    assert [line.line.color for line in lines] == list(REGIME_COLOURS[:3])
    assert figure.layout.yaxis.type == "log"
    assert figure.layout.xaxis.rangeslider.visible
    assert base.text[0] == "no regime"
    assert base.text[-1] == f"regime_{data.labels[-1]}"


def test_gaps_in_the_price_stay_gaps_and_a_negative_one_is_linear():
    values = np.linspace(-1, 1, 50)
    values[10:20] = np.nan
    axis = TimeAxis.of(np.arange(50), None)
    figure = price_figure(axis, "x", values, np.zeros(50, int), looks_of(["a"], [0]))
    assert figure.layout.yaxis.type == "linear"
    assert np.isnan(np.asarray(figure.data[0].y, float)).sum() == 10


def test_many_bars_are_thinned_and_keep_their_extremes(made):
    data = made(30_000)
    values = data.drawn.values.copy()
    values[12_345] = 1e6
    figure = price_figure(data.axis, "p", values, data.labels, data.looks, buckets=500)
    assert len(figure.data[0].y) <= 1002
    assert np.max(figure.data[0].y) == 1e6
    figure = timeline_figure(
        data.axis, data.spells, data.probability, data.novelty, data.looks, buckets=500
    )
    assert max(len(trace.x) for trace in figure.data if trace.yaxis in ("y2", "y3")) <= 1002
    stacks = [trace for trace in figure.data if trace.stackgroup]
    assert stacks[0].x[0] == data.axis.values[0], "the first stretch has labelled bars"
    np.testing.assert_allclose(np.sum([trace.y for trace in stacks], axis=0), 1, rtol=1e-6)
    novelty = next(trace for trace in figure.data if trace.yaxis == "y3")
    assert np.nanmax(novelty.y) == np.float32(np.nanmax(data.novelty))


@pytest.mark.parametrize("k", [1, 3, 7, 8, 40])
def test_every_figure_of_every_number_of_regimes(made, k):
    data = made(400, k)
    figures = page_figures(data)
    assert list(figures) == ["price", "timeline", "transitions", "dwell", "pca", "training"]
    for name in ("price", "dwell", "pca"):
        assert {t.meta["regime"] for t in figures[name].data if "regime" in t.meta} == set(range(k))
    kinds = [trace.type for trace in figures["timeline"].data]
    assert ("heatmap" in kinds) == (k > 7)
    np.testing.assert_allclose(np.sum(figures["transitions"].data[0].z, axis=1), 1, atol=1e-3)


@given(st.integers(1, 10_000))
def test_bins_hold_every_length(longest):
    edges = length_edges(longest)
    assert (np.diff(edges) > 0).all()
    assert (edges[0], edges[-1]) == (1, longest + 1)


def test_dwell_panels_count_every_spell(made):
    data = made(900)
    figure = dwell_figure(data.spells, data.analysis.dwell.expected, data.looks)
    for regime, bars in enumerate(figure.data):
        assert np.sum(bars.y) == (data.spells.regime == regime).sum()


def test_hostile_names_are_text_in_figures(made):
    names = ["<b>x</b>", "a & b", "<script>alert(1)</script>"]
    data = made(300, names=names)
    text = "".join(figure.to_json() for figure in page_figures(data).values())
    assert "<b>" not in text.replace("\\u003c", "<")
    assert "<script>" not in text.replace("\\u003c", "<")
    figure = map_figure(data.maps[0], data.axis, data.labels, looks_of(names, range(3)))
    assert figure.data[1].name == "a &amp; b"
    cut = transition_figure(data.analysis.transitions, ["x" * 99] * 3)
    assert cut.layout.xaxis.ticktext[0][-1] == "…"


def test_training_curves_of_any_name_and_length():
    figure = training_figure({"loss": [2.0, 1.0], "val_loss": [2.5], "accuracy": [0.1, 0.2, 0.3]})
    assert [trace.yaxis for trace in figure.data] == ["y", "y", "y2"]
    assert [len(trace.x) for trace in figure.data] == [2, 1, 3]
    assert figure.data[1].line.dash == "dash"
