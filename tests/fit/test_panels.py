"""Many instruments in one fit: shared regimes, own units, and the same answers in any shape."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from encoders import FAST
from sklearn.metrics import adjusted_rand_score

import regimetry as rg
from regimetry.encoder.pretraining.config import PretrainedEncoder
from regimetry.errors import DataError
from regimetry.fit import source
from regimetry.fit.encoder import fit_encoder
from regimetry.fit.options import FitOptions
from regimetry.fit.rows import slow_directions_of, training_rows
from regimetry.fit.source import panel_source
from regimetry.regimes.clustering.head import middle
from regimetry.regimes.clustering.slow import LaggedSums, fit_slow_directions

SIZES = {"calm": 1.0, "wild": 5.0, "tame": 0.2}
STATES = {name: rg.simulate("s2", n_rows=600, seed=i).states for i, name in enumerate(SIZES)}


def frames():
    found = {}
    for i, (name, size) in enumerate(SIZES.items()):
        series = rg.simulate("s2", n_rows=600, seed=i)
        times = pd.date_range("2020-01-01", periods=600, name="date")
        found[name] = pd.DataFrame(size * series.values, columns=list(series.names), index=times)
    found["short"] = found["calm"].iloc[:4]
    return found


def long_frame():
    parts = [frame.assign(symbol=name) for name, frame in frames().items()]
    return pd.concat(parts).sort_index(kind="stable")


def unfitted(**changes):
    given = {"window_size": 10, "n_regimes": 3, "encoder": FAST, "n_landmarks": 200, **changes}
    return rg.RegimeDetector(random_state=0, **given)


@pytest.fixture(scope="module")
def detector():
    return unfitted().fit(frames())


@pytest.fixture(scope="module")
def of_long_frame():
    return unfitted().fit(long_frame(), by="symbol")


def as_labels(series):
    return series.to_numpy(dtype="int64", na_value=-1)


def test_regimes_are_shared_and_each_instrument_is_read_in_its_own_units(detector):
    for name, states in STATES.items():
        labels = as_labels(detector.labels_[name])
        assert adjusted_rand_score(states[60:], labels[60:]) > 0.6
    # Read as they are, the wild one is always wild: a scale, not a regime.
    pooled = unfitted(scaling="pooled").fit(frames())
    assert pooled.model_.contract.scaling is None
    labels = as_labels(pooled.labels_["wild"])
    assert adjusted_rand_score(STATES["wild"][60:], labels[60:]) < 0.6


def test_all_shapes_give_the_same_labels(detector, of_long_frame):
    model, long = detector.model_, long_frame()
    by_mapping = model.predict(frames())
    for found in (model.predict(long, by="symbol"), of_long_frame.labels_):
        assert found.index.equals(long.index)
        for name, labels in by_mapping.items():
            mine = found[(long["symbol"] == name).to_numpy()]
            pd.testing.assert_series_equal(mine, labels, check_freq=False)


def test_each_instrument_is_labelled_as_if_alone(detector):
    model = detector.model_
    together = model.label(frames())
    for name in SIZES:
        alone = model.label({name: frames()[name]})
        for entry in ("regime", "probability", "novelty", "novel"):
            both = [getattr(found, entry)[name] for found in (together, alone)]
            assert both[0].equals(both[1]), (name, entry)
    assert together.regime["short"].isna().all()
    assert not together.novel["short"].any()
    assert model.smooth(frames())["short"].isna().all()


def test_the_file_knows_its_instruments(detector, of_long_frame, tmp_path):
    detector.save(tmp_path / "panel.onnx")
    model = rg.load(tmp_path / "panel.onnx")
    contract = model.contract
    assert contract == detector.model_.contract
    assert contract.format_version == 4
    assert contract.scaling.instruments == tuple(SIZES)
    assert (contract.training.instruments, contract.training.short_instruments) == (4, 1)
    assert contract.training.rows == 1804
    assert of_long_frame.model_.contract.by == "symbol"


def test_an_unknown_instrument_is_read_like_an_average_one(detector):
    model, frame = detector.model_, frames()["calm"]
    unknown = model.predict({"new": frame})["new"]
    assert unknown.equals(model.predict(frame))
    assert not unknown.equals(model.predict({"wild": frame})["wild"])


def test_no_window_crosses_and_the_future_changes_nothing(detector):
    model, given = detector.model_, frames()
    before = model.label({name: frame.iloc[:300] for name, frame in given.items()})
    after = model.label(given)
    for name, regime in before.regime.items():
        assert regime.equals(after.regime[name].iloc[: len(regime)])
    embedded = model.embed(long_frame(), by="symbol")
    assert len(embedded) == sum(max(0, len(f) - model.contract.window_rows + 1)
                                for f in given.values())  # fmt: skip


def test_a_fit_on_a_sample_takes_units_and_slow_directions_from_all_windows(detector):
    sampled = unfitted(max_windows=900).fit(frames())
    contract, whole = sampled.model_.contract, detector.model_.contract
    assert (contract.mean, contract.scaling) == (whole.mean, whole.scaling)
    assert contract.training.sampled_rows < 1000 < contract.training.rows
    labels = [as_labels(one.labels_["wild"])[60:] for one in (detector, sampled)]
    assert adjusted_rand_score(*labels) > 0.8


@pytest.mark.parametrize(
    "encoder",
    [FAST, replace(FAST, convolutions="beside"), PretrainedEncoder()],
    ids=["", "bank", "pretrained"],
)
def test_sums_over_blocks_are_those_of_all_embeddings(encoder, monkeypatch):
    made = panel_source(frames(), None)
    options = FitOptions(encoder=encoder)
    rows = training_rows(made, made.measured(), 10, options)
    assert rows.complete
    windows = rows.windows()
    encoder, other = (fit_encoder(replace(options, seed=s), windows, 10) for s in (0, 1))
    embeddings = windows.map(encoder.embed)
    expected = fit_slow_directions(
        middle(embeddings, encoder.halves), 10, windows.offsets, spread=encoder.halves
    )
    monkeypatch.setattr(source, "_BLOCK", 97)
    found = slow_directions_of(rows, encoder)
    for name in ("mean", "autocorrelation"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-6)
    assert np.abs(slow_directions_of(rows, other).mean - expected.mean).max() > 1e-3


def test_sums_of_parts_add_up():
    values = np.random.default_rng(0).standard_normal((200, 4)) + 3
    offsets = np.array([0, 120, 121, 200])
    centre = np.full(4, 2.5)
    whole = LaggedSums.of(values, 7, offsets=offsets)
    parts = [LaggedSums.of(values[a:b], 7, centre) for a, b in itertools.pairwise(offsets)]
    added = parts[0] + parts[1] + parts[2]
    for name in ("mean", "covariance", "lagged_covariance"):
        np.testing.assert_allclose(getattr(added, name), getattr(whole, name), atol=1e-12)
    crossing = LaggedSums.of(values, 7)
    assert crossing.pairs > whole.pairs == added.pairs
    assert np.abs(crossing.lagged_covariance - whole.lagged_covariance).max() > 1e-4


def test_bad_input_says_what_is_wrong():
    with pytest.raises(DataError, match="longest of 1 instruments: 4 rows are too few"):
        unfitted().fit({"short": frames()["short"]})
    with pytest.raises(DataError, match=r"by is 'ticker'.*symbol"):
        unfitted().fit(long_frame(), by="ticker")
    with pytest.raises(DataError, match="names its instruments itself"):
        unfitted().fit(frames(), by="symbol")


def test_live_series_are_read_in_the_units_of_their_instrument(detector):
    model, given = detector.model_, frames()
    names = list(SIZES)
    expected = model.label({name: given[name].iloc[:80] for name in names})
    bank = model.bank(3, instruments=names)
    streams = {name: model.stream(instrument=name) for name in names}
    for t in range(80):
        rows = np.stack([given[name].to_numpy()[t] for name in names])
        ticks = bank.push([0, 1, 2], rows)
        single = {name: streams[name].push(row) for name, row in zip(names, rows, strict=True)}
        if t < model.contract.window_rows - 1:
            assert not len(ticks.ids)
            continue
        for i, name in enumerate(names):
            assert ticks.regime[i] == single[name].regime == expected.regime[name].iloc[t]
            wanted = expected.probability[name].iloc[t].to_numpy()
            np.testing.assert_allclose(ticks.probability[i], wanted, atol=1e-4)
            np.testing.assert_allclose(
                single[name].novelty, expected.novelty[name].iloc[t], rtol=1e-3
            )
    unnamed = model.stream()
    for row in given["wild"].to_numpy()[:80]:
        tick = unnamed.push(row)
    assert abs(tick.novelty - expected.novelty["wild"].iloc[-1]) > 0.01
    with pytest.raises(DataError, match="2 instruments for 3 series"):
        model.bank(3, instruments=names[:2])
