"""A refit that goes on: what is kept, where the regimes begin, and what moved."""

import dataclasses

import numpy as np
import pytest
from encoders import FAST
from places import ROOT
from price_bars import make_frame
from sklearn.base import clone

import regimetry as rg
from regimetry.analysis import moved
from regimetry.check.verify import verify
from regimetry.errors import ConfigError, DataError, ExportParityError, ModelError
from regimetry.export.kept import kept_encoder
from regimetry.fit import relearn
from regimetry.regimes.clustering.landmarks import cluster_on

OLD = 560  # rows of the earlier fit, of 700


@pytest.fixture(scope="module", params=["window", "auto"])
def earlier(request, values, unfitted):
    """A detector on the first rows; windows tell its regimes, or single bars."""
    return unfitted(request.param).fit(values[:OLD])


@pytest.fixture(scope="module")
def later(earlier, values):
    """Another detector that went on from its model."""
    return clone(earlier).update(values, of=earlier.model_)


def test_encoder_units_window_and_number_are_kept(earlier, later, values):
    before, after = earlier.model_, later.model_
    np.testing.assert_array_equal(before.embed(values), after.embed(values))
    for name in ("window_size", "transforms", "mean", "scale", "evidence", "reach"):
        assert getattr(after.contract, name) == getattr(before.contract, name)
    assert [r.name for r in after.contract.regimes] == [r.name for r in before.contract.regimes]
    assert after.contract.training.rows == len(values)
    assert after.contract.training.alignment.to == before.contract.fingerprint
    assert before.content != after.content


def test_the_labels_are_causal_and_those_of_the_file(later, values, tmp_path):
    later.save(tmp_path / "m.onnx")
    model = rg.load(tmp_path / "m.onnx")
    np.testing.assert_array_equal(model.predict(values), later.labels_)
    np.testing.assert_array_equal(model.predict(values[:600]), later.labels_[:600])
    assert verify(tmp_path / "m.onnx", runtimes=("onnxruntime", "reference")).problem is None


def test_a_detector_goes_on_as_its_file_does(earlier, later, values, tmp_path):
    earlier.save(tmp_path / "old.onnx")
    copied = clone(earlier).fit(values[:OLD])
    for other in (copied.update(values), clone(earlier).update(values, of=tmp_path / "old.onnx")):
        np.testing.assert_array_equal(other.labels_, later.labels_)
        assert other.moved_ == later.moved_


def test_what_moved_is_what_both_models_say(earlier, later, values):
    found, old, new = later.moved_, earlier.predict(values), later.predict(values)
    both = (old >= 0) & (new >= 0)
    assert found.bars == both.sum()
    assert found.changed == np.mean(old[both] != new[both]) < 0.3
    assert found.born == found.dead == ()
    before, after = earlier.model_.contract.regimes, later.model_.contract.regimes
    for one, a, b in zip(found.regimes, before, after, strict=True):
        shifts = (np.array(b.mean) - np.array(a.mean)) / np.array(a.deviation)
        assert one.shift == shifts[np.abs(shifts).argmax()]
        assert (one.share_before, one.share_now) == (a.share, b.share)
    assert found.to_dict()["changed"] == found.changed
    assert "<td>regime_0</td>" in found._repr_html_()


def test_regimes_begin_where_the_earlier_ones_were(earlier, values):
    """On the same rows next to nothing moves; on changed ones statistics do."""
    before = earlier.predict(values[:OLD])
    again = clone(earlier).update(values[:OLD], of=earlier)
    kept = before >= 0
    assert np.mean(before[kept] == again.labels_[kept]) > 0.9
    louder = values[:OLD] * [1.5, 1.5, 1.5, 1.0]
    other = clone(earlier).update(louder, of=earlier)
    assert any(abs(one.deviation_ratio - 1) > 0.2 for one in other.moved_.regimes)


def test_clusters_go_on_from_labels():
    generator = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 60)
    points = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])[truth]
    points = points + 0.3 * generator.standard_normal(points.shape)
    for order in ([0, 1, 2], [2, 0, 1]):
        start = np.array(order)[truth]
        start[::10] = 0  # some are wrong, and come right
        found = cluster_on(points, points, 3, 0, start)
        np.testing.assert_array_equal(found.labels, np.array(order)[truth])


def test_a_moved_regime_is_born_and_another_dead(earlier):
    contract = earlier.model_.contract
    renamed = tuple(
        dataclasses.replace(one, name=one.name.replace("2", "7")) for one in contract.regimes
    )
    other = dataclasses.replace(contract, regimes=renamed)
    labels = np.array([-1, 0, 0, 1, 2])
    found = moved(contract, other, labels, np.array([-1, 0, 1, 1, 2]))
    assert (found.born, found.dead, found.bars, found.changed) == (
        ("regime_7",), ("regime_2",), 4, 0.5,
    )  # fmt: skip


def test_what_cannot_go_on_is_refused(earlier, values):
    with pytest.raises(ConfigError, match="n_regimes is 4, and the model that goes on has 3"):
        clone(earlier).set_params(n_regimes=4).update(values, of=earlier)
    with pytest.raises(ConfigError, match="window_size is 20"):
        clone(earlier).set_params(window_size=20).update(values, of=earlier)
    with pytest.raises(DataError, match="each regime needs 10"):
        clone(earlier).update(values[:40], of=earlier)
    with pytest.raises(DataError, match="columns"):
        clone(earlier).update(values[:, :3], of=earlier)
    with pytest.raises(ConfigError, match="of is 3; it must be a model file"):
        clone(earlier).update(values, of=3)


def test_a_file_whose_encoder_cannot_be_told_is_refused():
    old = rg.load(ROOT / "tests" / "contract" / "files" / "format3.onnx")
    with pytest.raises(ModelError, match="Fit anew, with align_to"):
        kept_encoder(old)


def test_an_encoder_that_is_another_is_found(earlier, values, monkeypatch):
    real = relearn.encoder_of

    def other(model, device):
        found = real(model, device)
        return dataclasses.replace(found, twin=lambda windows: 1.01 * found.twin(windows))

    monkeypatch.setattr("regimetry.fit.update.encoder_of", other)
    with pytest.raises(ExportParityError):
        clone(earlier).update(values, of=earlier.model_)


def test_bars_are_taken_as_bars(bars_detector):
    bars = make_frame(330)
    found = clone(bars_detector).update(bars, of=bars_detector)
    before, after = (one.model_.contract.training for one in (bars_detector, found))
    assert after.features == before.features
    assert found.model_.predict(bars).notna().sum() > 250


def test_instruments_keep_their_units_and_a_sample_goes_on():
    frames = {
        name: scale * rg.simulate("s2", n_rows=500, seed=seed).values
        for seed, (name, scale) in enumerate({"A": 1.0, "B": 30.0}.items())
    }
    earlier = rg.RegimeDetector(
        window_size=10, n_regimes=2, encoder=FAST, n_landmarks=100, max_windows=600, random_state=0
    ).fit({name: rows[:400] for name, rows in frames.items()})
    found = clone(earlier).update(frames, of=earlier)
    assert found.model_.contract.scaling == earlier.model_.contract.scaling
    assert found.model_.contract.training.instruments == 2
    labels = found.predict(frames)
    for name, old in earlier.predict(frames).items():
        assert np.mean(labels[name] == old) > 0.8
