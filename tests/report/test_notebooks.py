"""What a notebook shows: tables as HTML, and figures drawn into the caller's axes."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from blocked import run_blocked
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import regimetry as rg
from regimetry.analysis import (
    agreement,
    analyse_labels,
    analyse_panel,
    conditional_statistics,
    performance,
)
from regimetry.contract import Candidate
from regimetry.contract.card import Candidates
from regimetry.errors import ConfigError, DataError, DataWarning
from regimetry.markup import html_table
from regimetry.report import plot, plot_candidates
from regimetry.report.colours import NO_REGIME, REGIME_COLOURS

LABELS = np.repeat([-1, 0, 1, 0, 2], [5, 30, 40, 20, 25])
CANDIDATES = Candidates(
    [
        Candidate(window_size=20, n_regimes=3, score=0.5, chosen=True),
        Candidate(window_size=20, n_regimes=2, score=0.25, refused="<few> bars"),
        Candidate(window_size=40, n_regimes=2, score=0.125),
    ]
)


@pytest.fixture
def axes():
    return Figure().subplots()


def cells(text, tag="td"):
    return [part.partition(f"</{tag}>")[0] for part in text.split(f"<{tag}>")[1:]]


def test_a_model_shows_its_regimes(model):
    text = model._repr_html_()
    for regime in model.contract.regimes:
        assert regime.name in cells(text)
        assert f"{regime.share:.1%}" in cells(text)
    assert model.contract.schema.names[0] in text
    assert "<summary>transitions</summary>" in text


def test_a_detector_shows_parameters_and_after_a_fit_its_model(detector, unfitted):
    before, after = unfitted("window")._repr_html_(), detector._repr_html_()
    assert "RegimeDetector" in before
    assert detector.model_._repr_html_() in after
    assert "mean dwell" not in before
    assert detector._repr_mimebundle_()["text/html"].endswith(detector.model_._repr_html_())


def test_candidates_mark_the_chosen_and_escape(detector):
    text = CANDIDATES._repr_html_()
    assert cells(text, "th")[-5:-1] == ["20", "3", "0.5", "even"]
    assert "&lt;few&gt; bars" in text
    assert "stability" not in text  # of which nothing is known
    assert isinstance(detector.candidates_, Candidates)
    assert isinstance(detector.candidates_, tuple)


def test_an_analysis_shows_every_number(model):
    found = analyse_labels(LABELS, 3)
    text = found._repr_html_()
    shown = cells(text)
    for number in (*found.share.tolist(), *found.transitions.empirical.ravel().tolist()):
        assert format(number, ".4g") in shown
    assert "<summary>dwell</summary>" in text
    price = np.cumprod(1 + 0.01 * np.random.default_rng(0).standard_normal(len(LABELS)))
    results = [
        analyse_panel({"<A>": LABELS, "B": LABELS}, 3),
        performance(LABELS, price, 3, bars_per_year=252),
        conditional_statistics(LABELS, price, 3),
        agreement(LABELS, np.roll(LABELS, 3), 3, 3),
    ]
    for result in results:
        assert result._repr_html_().count("<table>") == result._repr_html_().count("</table>") > 0
    assert "<summary>&lt;A&gt;</summary>" in results[0]._repr_html_()


def test_long_tables_are_cut_and_say_so():
    text = html_table(("", "x"), [(i, i) for i in range(35)])
    assert "and 5 more" in text
    assert ">34<" not in text
    assert html_table(("",), [(float("nan"),), (float("inf"),), (True,)]).count("–") == 1  # noqa: RUF001


def colours_of(axes):
    (lines,) = [one for one in axes.collections if isinstance(one, LineCollection)]
    return [to_hex(colour).upper() for colour in lines.get_colors()]


def expected(labels):
    return [REGIME_COLOURS[k].upper() if k >= 0 else NO_REGIME for k in labels[1:]]


def test_a_plot_colours_each_step_by_the_causal_label(detector, model, values, axes):
    assert plot(model, values, axes) is axes
    assert colours_of(axes) == expected(model.predict(values))
    assert axes.get_xlabel() == "row"
    changed = values.copy()
    changed[-100:] *= 1.5
    other = plot(detector, changed, Figure().subplots())
    assert colours_of(other)[:-100] == colours_of(axes)[:-100]  # no look-ahead
    assert colours_of(other) != colours_of(axes)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_a_plot_of_a_frame_finds_price_and_time(values, axes, kind):
    frame = pd.DataFrame(values, columns=["a", "b", "c", "close"])
    detector = rg.RegimeDetector(window_size=10, n_regimes=2, n_landmarks=100, random_state=0)
    detector.fit(frame)
    days = pd.date_range("2020-01-01", periods=len(frame), name="day")
    shuffled = frame.assign(day=days)
    plot(detector, kind(shuffled.to_dict("list")), axes)
    assert axes.get_ylabel() == "close"
    assert colours_of(axes) == expected(detector.labels_)
    low, high = axes.get_xlim()
    assert low < 18262 < 18262 + len(frame) - 1 < high  # days since 1970
    assert plot(detector, frame, Figure().subplots(), column="b").get_ylabel() == "b"
    with pytest.raises(DataError, match="'nothing'"):
        plot(detector, frame, axes, column="nothing")


def test_a_plot_skips_rows_with_a_missing_value(model, values, axes):
    holed = values.copy()
    holed[300:303] = np.nan
    with pytest.warns(DataWarning, match="left out 3 rows"):
        plot(model.with_rules(missing="gap"), holed, axes)
    assert len(colours_of(axes)) == len(values) - 3 - 1


def test_candidates_are_drawn_and_without_any_it_is_said(detector, axes):
    with pytest.raises(ConfigError, match="no scores to draw"):
        plot_candidates(detector, axes)

    class Fit:
        contract = type("C", (), {"training": type("T", (), {"candidates": CANDIDATES})})

    assert plot_candidates(Fit, axes) is axes
    first, second, star = axes.get_lines()
    assert first.get_xydata().tolist() == [[2, 0.25], [3, 0.5]]
    assert second.get_xydata().tolist() == [[2, 0.125]]
    assert star.get_xydata().tolist() == [[3, 0.5]]


def test_without_matplotlib_the_extra_is_named(model_path):
    code = """
        import sys
        import numpy as np
        import regimetry as rg
        from regimetry.errors import InstallError
        from regimetry.report import plot
        try:
            plot(rg.load(sys.argv[1]), np.zeros((50, 4)))
        except InstallError as error:
            print(error)
        """
    done = run_blocked(code, ["matplotlib"], str(model_path))
    assert "pip install 'regimetry[report]'" in done.stdout, done.stderr
