"""What a model says of the next rows: scores, forecasts, samples, live."""

import copy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import oracles
import pandas as pd
import pytest
from blocked import run_blocked
from densities import row_density
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

import regimetry as rg
from regimetry.errors import (
    ConfigError,
    DataError,
    DataWarning,
    ModelError,
)
from regimetry.runtime.density import FIELDS, RowDensity
from regimetry.runtime.row_model import RowModel

pytestmark = pytest.mark.filterwarnings("ignore::regimetry.errors.RegimeWarning")


def fit(values, **options):
    return rg.RegimeDetector(random_state=0, **options).fit(values)


def prices(rows=900, seed=0):
    """A price whose return is calm or wild, and its own level of unrest as a second column."""
    rng = np.random.default_rng(seed)
    deviation = np.where(np.arange(rows) // 150 % 2, 0.025, 0.006)
    close = 50 * np.exp(np.cumsum(deviation * rng.standard_t(6, rows)))
    return pd.DataFrame({"close": close, "range": deviation * (1 + 0.3 * rng.random(rows))})


@pytest.fixture(scope="module")
def told():
    """Fits by name: by bars of constant scale, by moving ones, by windows, of a single regime."""
    s2, s6 = rg.simulate("s2", n_rows=1200, seed=0).values, rg.simulate("s6", seed=0).values
    table = prices()
    return {
        "bars": (fit(s2, window_size=10, n_regimes=3), s2),
        "moving": (fit(s6, window_size=10, n_regimes=2), s6[:700]),
        "windows": (fit(table, window_size=10, n_regimes=2, evidence="window"), table),
        "one": (fit(table[["close"]], window_size=10, n_regimes=1), table[["close"]]),
    }


NAMES = ("bars", "moving", "windows", "one")


def scored_by_hand(detector, values):
    """One row at a time, from the contract's numbers."""
    contract, values = detector.model_.contract, np.asarray(values, np.float32).astype(float)
    record = contract.single_density or contract.density
    read = []
    for channel in record.channels:
        column, kind = values[:, channel], contract.transforms[channel]
        if any(one != "level" for one in contract.transforms):
            steps = {"level": column[1:], "difference": np.diff(column)}
            column = steps[kind] if kind in steps else np.log(column[1:] / column[:-1])
        read.append((column - contract.mean[channel]) * contract.scale[channel])
    rows = np.column_stack(read)
    density = RowDensity.of(record)
    order, count = density.order, density.n_regimes
    e = np.array(
        [
            rows[t] - np.concatenate([[1.0], *rows[t - order : t][::-1]]) @ density.coefficients
            for t in range(order, len(rows))
        ]
    )
    logs, _ = oracles.scale_densities(e, density, density.begin)
    first = contract.window_rows - 1 - order - (len(values) - len(rows))
    if record.weights == "density":
        before = oracles.chain_filter(logs, record.stay)[0][first:]
    elif count == 1:
        before = np.ones((len(logs) - first, 1))
    else:
        known = np.asarray(detector.predict_proba(values))[contract.window_rows - 1 :]
        shares = [one.share for one in contract.regimes]
        before = np.vstack([shares, known[:-1]]) @ np.array(contract.transition_matrix)
    scale = np.array([contract.scale[channel] for channel in record.channels])
    logs = logs[first:]
    assert before.shape == (len(logs), count)
    return np.log(np.sum(before * np.exp(logs), axis=1)) + np.log(scale).sum()


@pytest.mark.parametrize("name", NAMES)
def test_a_score_is_the_density_of_a_row_given_those_before_it(told, name):
    detector, values = told[name]
    found = np.asarray(detector.log_score(values))
    rows = detector.model_.contract.window_rows
    assert np.isnan(found[: rows - 1]).all()
    expected = scored_by_hand(detector, values)
    np.testing.assert_allclose(found[rows - 1 :], expected, rtol=1e-6, atol=1e-6)
    assert np.abs(found[rows:] - expected[:-1]).max() > 0.1  # one row off is seen
    # A changed future changes nothing before it.
    changed = np.array(values, dtype=float)
    changed[500:] = changed[500:][::-1]
    again = np.asarray(detector.log_score(changed))
    np.testing.assert_allclose(again[:500], found[:500], rtol=1e-6)
    assert np.nanmax(np.abs(again - found)) > 0.1


def test_kinds_and_settings_of_the_fits(told):
    weights = {name: told[name][0].model_.contract.density.weights for name in NAMES}
    assert weights == {
        "bars": "density", "moving": "density", "windows": "regimes", "one": "regimes"
    }  # fmt: skip
    moves = {name: RowModel.of(told[name][0].model_.contract).density.moves for name in NAMES}
    assert moves["moving"]
    assert not moves["bars"]


@pytest.mark.parametrize("name", NAMES)
def test_a_live_series_says_what_the_batch_says_at_every_row(told, name):
    detector, values = told[name]
    model, table = detector.model_, np.asarray(values, dtype=float)[:160]
    scores = np.asarray(model.log_score(table))
    stream = model.stream(outputs=("density",))
    for t, row in enumerate(table):
        tick = stream.push(row)
        assert (tick is None) == np.isnan(scores[t])
        if tick is None:
            continue
        assert tick.outlook.log_score == pytest.approx(scores[t], abs=1e-6)
        assert tick.outlook.surprising == (scores[t] < RowModel.of(model.contract).record.surprise)
        if t % 40 == 0:
            ahead = model.forecast(table[: t + 1])
            np.testing.assert_allclose(tick.outlook.mean, ahead.mean[0], atol=1e-6)
            np.testing.assert_allclose(tick.outlook.deviation, ahead.deviation[0], rtol=1e-5)
        if t == 90:  # a snapshot goes on
            other = model.stream(outputs=("density",))
            other.restore(stream.snapshot())
            stream = other
    plain = model.stream()
    for row in table:
        tick = plain.push(row)
    assert tick.outlook is None


def test_after_a_gap_the_density_begins_anew(told):
    detector, values = told["moving"]
    model = detector.model_.with_rules(missing="gap")
    holed = values[:200].copy()
    holed[90] = np.nan
    with pytest.warns(DataWarning, match="falls into 2 segments"):
        scores = np.asarray(model.log_score(holed))
    np.testing.assert_array_equal(scores[91:], model.log_score(values[91:200]))
    stream = model.stream(outputs=("density",))
    ticks = [stream.push(row) for row in holed]
    live = [np.nan if t is None or t.outlook is None else t.outlook.log_score for t in ticks]
    np.testing.assert_allclose(live, scores, atol=1e-9)


def test_a_damaged_snapshot_of_scales_is_refused(told):
    model, values = told["moving"][0].model_, told["moving"][1]
    stream = model.stream(outputs=("density",))
    for row in values[:60]:
        stream.push(row)
    state = stream.snapshot()
    from regimetry.runtime.live_density import density_of

    assert density_of(state, model.contract) is not None
    for change in ({"scales": -state["scales"]}, {"weights": state["weights"][:1]}):
        with pytest.raises(DataError, match="Restore an unchanged snapshot"):
            density_of({**state, **change}, model.contract)


def test_instruments_are_scored_apart(told):
    detector, values = told["bars"]
    both = {"a": values[:300], "b": values[300:500]}
    found = detector.log_score(both)
    np.testing.assert_array_equal(found["a"], detector.log_score(values[:300]))
    np.testing.assert_array_equal(found["b"], detector.log_score(values[300:500]))
    with pytest.raises(DataError, match="Give the rows of one"):
        detector.forecast(both)


@pytest.fixture(scope="module")
def panel():
    """Two instruments, one of a tenth of the other's moves, each in units of its own."""
    rng = np.random.default_rng(0)
    deviation = np.where(np.arange(500) // 100 % 2, 0.02, 0.005)
    moves = {name: deviation * rng.standard_normal(500) for name in "ab"}
    return {
        name: pd.DataFrame({"close": 50 * np.exp(np.cumsum(one * (0.1 if name == "a" else 1.0)))})
        for name, one in moves.items()
    }


def test_each_instrument_is_scored_and_forecast_in_its_own_units(panel):
    detector = fit(panel, window_size=10, n_regimes=2)
    assert detector.model_.contract.scaling is not None
    scores = detector.log_score(panel)
    means = {name: float(np.nanmean(one)) for name, one in scores.items()}
    assert means["a"] - means["b"] == pytest.approx(np.log(10), abs=0.3)
    for name, rows in panel.items():
        alone = {name: rows}
        ahead, returns = detector.forecast(alone), np.diff(np.log(rows["close"]))[-90:]
        assert ahead.deviation[0, 0] == pytest.approx(returns.std(), rel=0.6)
        assert ahead.quantile(0.05)[0] < 0 < ahead.quantile(0.95)[0]
        drawn = ahead.draws[:, 0].std()
        assert drawn == pytest.approx(ahead.deviation[0, 0], rel=0.05)
        stream = detector.model_.stream(outputs=("density",), instrument=name)
        for row in rows.to_numpy():
            tick = stream.push(row)
        assert tick.outlook.log_score == pytest.approx(np.asarray(scores[name])[-1], abs=1e-4)
        assert tick.outlook.deviation[0] == pytest.approx(ahead.deviation[0, 0], rel=1e-4)
        score = ahead.log_density(ahead.mean[0])
        assert score == pytest.approx(-np.log(ahead.deviation[0, 0]) - 0.9, abs=0.4)
    holed = panel["a"].copy()
    holed.iloc[-4] = np.nan
    apart = detector.model_.with_rules(missing="gap")
    said = pytest.warns(DataWarning, match="2 segments")
    refused = pytest.raises(DataError, match="The last segment of the data has 3 rows")
    with said, refused:
        apart.forecast({"a": holed})


def test_criteria_follow_from_the_scores(told):
    detector, values = told["bars"]
    scores = detector.log_score(values)
    scores = scores[~np.isnan(scores)]
    count = RowModel.of(detector.model_.contract).record.parameters
    assert detector.score(values) == pytest.approx(scores.mean())
    assert detector.aic(values) == pytest.approx(2 * count - 2 * scores.sum())
    assert detector.bic(values) == pytest.approx(np.log(len(scores)) * count - 2 * scores.sum())


@pytest.mark.parametrize("name", NAMES)
def test_forecasts_agree_with_their_draws(told, name):
    detector, values = told[name]
    ahead = detector.forecast(values[:400], 3, random_state=1)
    size = len(ahead.columns)
    assert ahead.mean.shape == ahead.deviation.shape == (3, size)
    np.testing.assert_allclose(ahead.probability.sum(axis=1), 1)
    drawn = ahead.draws[:, 0]
    np.testing.assert_allclose(
        (drawn.mean(axis=0) - ahead.mean[0]) / ahead.deviation[0], 0, atol=0.03
    )
    np.testing.assert_allclose(drawn.std(axis=0) / ahead.deviation[0], 1, atol=0.08)
    for step in (1, 3):
        low, high = ahead.quantile([0.05, 0.95], step=step)
        inside = ((ahead.draws[:, step - 1] > low) & (ahead.draws[:, step - 1] < high)).mean(axis=0)
        np.testing.assert_allclose(inside, 0.9, atol=0.01)
        np.testing.assert_array_equal(ahead.value_at_risk(step=step), -low)
        assert (ahead.expected_shortfall(step=step) > ahead.value_at_risk(step=step)).all()
    # The density of the next row is what its score will be.
    row = np.asarray(values[:401], dtype=float)
    model = RowModel.of(detector.model_.contract)
    next_row = model.rows(row)[-1] * model.deviation + model.mean
    score = np.asarray(detector.log_score(values[:401]))[-1]
    assert ahead.log_density(next_row) == pytest.approx(score, abs=1e-6)


def test_where_the_chain_is_all_that_moves_later_moments_are_exact(told):
    detector, values = told["bars"]
    ahead = detector.forecast(values[:300], 4)
    assert "draws" not in vars(ahead)
    drawn = ahead.draws
    np.testing.assert_allclose(drawn.std(axis=0) / ahead.deviation, 1, atol=0.05)
    matrix = RowModel.of(detector.model_.contract).chain
    np.testing.assert_allclose(ahead.probability[1], ahead.probability[0] @ matrix)


def test_scores_are_calibrated_on_what_the_density_draws(told):
    """The probability integral transform of rows that the density drew is uniform."""
    detector, _ = told["one"]
    drawn, _ = detector.sample(400, random_state=3)
    assert drawn.shape == (400, 1)
    assert (drawn > 0).all()  # a price
    hits = []
    for t in range(60, 399, 3):
        ahead = detector.forecast(drawn[: t + 1])
        hits.append(np.log(drawn[t + 1, 0] / drawn[t, 0]) < ahead.quantile([0.1, 0.5])[:, 0])
    np.testing.assert_allclose(np.mean(hits, axis=0), [0.1, 0.5], atol=0.11)


def test_the_transform_of_rows_that_the_density_drew_is_uniform(told):
    detector, _ = told["one"]
    drawn, _ = detector.sample(3000, random_state=7)
    found = detector.pit(drawn)
    rows = detector.model_.contract.window_rows
    assert np.isnan(found[: rows - 1]).all()
    known = np.sort(found[rows - 1 :])
    assert np.abs(known - np.linspace(0, 1, len(known))).max() < 0.03
    # It is the level of the quantile that the row was.
    ahead = detector.forecast(drawn[:500])
    assert ahead.quantile(float(found[500]))[0] == pytest.approx(
        np.log(drawn[500, 0] / drawn[499, 0]), abs=1e-6
    )
    with pytest.raises(DataError, match="the transform is of one column"):
        told["bars"][0].pit(told["bars"][1])


def test_a_refit_recovers_what_was_sampled(told):
    detector, _ = told["bars"]
    rows, regimes = detector.sample(1500, random_state=0)
    again = fit(rows, window_size=10, n_regimes=3)
    from sklearn.metrics import adjusted_rand_score

    assert adjusted_rand_score(regimes[60:-60], again.smooth(rows)[60:-60]) > 0.85
    for old, new in zip(detector.regimes_, again.regimes_, strict=True):
        np.testing.assert_allclose(np.diag(new.covariance), np.diag(old.covariance), rtol=0.35)
    np.testing.assert_array_equal(
        detector.sample(9, random_state=4)[0], detector.sample(9, random_state=4)[0]
    )
    assert (detector.sample(9, random_state=5)[0] != detector.sample(9, random_state=4)[0]).any()


def test_cards_are_in_the_columns_own_units(told):
    detector, table = told["windows"]
    calm, wild = detector.regimes_
    returns = np.diff(np.log(table["close"]))
    place = calm.columns.index("close")
    deviations = [np.sqrt(one.covariance[place, place]) for one in (calm, wild)]
    assert deviations[0] < returns.std() < deviations[1]
    assert deviations[1] == pytest.approx(0.03, rel=0.35)
    assert calm.mean_error[place] < wild.mean_error[place] < 0.01
    assert set(calm.to_dict()) >= {"mean", "covariance", "autoregression", "degrees_of_freedom"}
    assert detector.model_.regimes[0].name == "regime_0"


def test_a_grid_search_needs_no_scorer():
    values = rg.simulate("s2", n_rows=900, seed=1).values
    search = GridSearchCV(
        rg.RegimeDetector(window_size=10, random_state=0),
        {"n_regimes": [1, 3]},
        cv=TimeSeriesSplit(n_splits=2, test_size=200),
    ).fit(values)
    assert search.best_params_ == {"n_regimes": 3}


def test_refusals(told):
    detector, values = told["bars"]
    with pytest.raises(ConfigError, match="n_samples is True"):
        detector.sample(True)
    with pytest.raises(DataError, match="the longest of 5 rows"):
        detector.score({"a": values[:5], "b": values[:5]})
    for horizon in (0, -1, 1.5, True):
        with pytest.raises(ConfigError, match=r"horizon is .* at least 1"):
            detector.forecast(values, horizon)
    with pytest.raises(DataError, match="Give more history"):
        detector.forecast(values[:5])
    with pytest.raises(DataError, match="Give more history"):
        detector.log_score(values[:5])
    ahead = detector.forecast(values)
    for levels in (0.0, 1.0, [0.5, np.nan], []):
        with pytest.raises(ConfigError, match="above 0 and below 1"):
            ahead.quantile(levels)
    with pytest.raises(ConfigError, match="step is 2; the forecast has 1 to 1"):
        ahead.quantile(0.5, step=2)
    with pytest.raises(DataError, match="one number for each of"):
        ahead.log_density([0.0])
    with pytest.raises(ConfigError, match="n_samples is 0"):
        detector.sample(0)
    bare = copy.copy(detector.model_)
    bare._file = copy.copy(bare._file)
    bare._file.contract = replace(bare.contract, density=None)
    with pytest.raises(ModelError, match="no density of its rows"):
        bare.stream(outputs=("density",))
    with pytest.raises(ConfigError, match="outputs is 'density'"):
        detector.model_.bank(2, outputs=("density",))


def test_a_fit_on_too_few_windows_has_no_density():
    values = rg.simulate("s2", seed=0).values[:45]
    model = fit(values, window_size=10, n_regimes=1).model_
    assert model.contract.density is None
    with pytest.raises(ModelError, match="at least 30 windows"):
        model.log_score(values)


def test_scores_need_numpy_alone(told, tmp_path):
    detector, values = told["one"]
    detector.save(tmp_path / "m.onnx")
    np.save(tmp_path / "v.npy", np.asarray(values))
    code = f"""
import numpy as np, regimetry as rg
model, values = rg.load({str(tmp_path / "m.onnx")!r}), np.load({str(tmp_path / "v.npy")!r})
assert np.isfinite(model.log_score(values)[-1])
ahead = model.forecast(values, 2)
assert ahead.deviation.shape == (2, 1)
try:
    ahead.quantile(0.05)
except rg.errors.InstallError as error:
    assert "regimetry[fit]" in str(error)
else:
    raise AssertionError
"""
    ran = run_blocked(code, ("scipy", "sklearn", "onnx", "pandas"))
    assert ran.returncode == 0, ran.stderr


def test_weights_of_unknown_regimes_stay(told):
    contract = told["windows"][0].model_.contract
    empty = replace(contract, transition_matrix=((0.0, 0.0), (0.1, 0.9)))
    found = RowModel.of_regimes(empty).chain
    np.testing.assert_array_equal(found, [[1.0, 0.0], [0.1, 0.9]])


def test_the_step_of_a_live_series_refuses():
    model = RowModel(contract := _Bare(), contract.record)
    step = model.step().step
    window, nothing, state = np.zeros((4, 3)), np.empty(0), np.ones((3, 4))
    assert len(step(window, nothing, state, np.ones(3) / 3)) == 5
    for change, message in (
        ({"window": window[:1]}, "window has 1 rows; expected at least 2"),
        ({"window": window[:, :2]}, "expected one numbered 2"),
        ({"probability": np.ones(3)}, "probability has shape"),
        ({"scales": np.ones((3, 2))}, "scales has shape"),
        ({"weights": np.ones(3, np.float32)}, "weights has dtype float32"),
    ):
        given = {"window": window, "probability": nothing, "scales": state, "weights": np.ones(3)}
        with pytest.raises(DataError, match=message):
            step(**{**given, **change})


class _Bare:
    """As much of a contract as a density of columns 0 and 2 needs."""

    transforms, mean, scale = ("level",) * 3, (0.0,) * 3, (1.0,) * 3

    @property
    def record(self):
        density = row_density(1)
        fields = {name: getattr(density, name) for name in FIELDS}
        return SimpleNamespace(channels=(0, 2), stay=0.9, weights="density", **fields)
