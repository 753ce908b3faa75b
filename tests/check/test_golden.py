"""The golden file: what it holds, that it reads back, that a wrong one is refused."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

import regimetry as rg
from regimetry.check.golden import (
    golden_path,
    golden_rows,
    make_golden,
    read_golden,
    write_golden,
)
from regimetry.check.runtimes import preprocess_windows
from regimetry.contract import OUTPUT_NAMES
from regimetry.errors import DataError, ModelError
from regimetry.windows import Windows


def golden_of(windows, distance, penalty):
    """The golden file of windows whose embedding is their number."""
    rows, count = golden_rows(Windows.of(windows), distance, penalty)
    outputs = {
        "embedding": rows[:, None].astype(np.float32),
        "distance": distance[rows],
        "novelty": np.ones(len(rows)),
    }
    n_regimes = distance.shape[1]
    names = [SimpleNamespace(name=f"regime_{i}") for i in range(n_regimes)]
    contract = SimpleNamespace(
        jump_penalty=penalty, sharpness=1.0, novelty_memory=1.0, novelty_threshold=2.0,
        schema=SimpleNamespace(names=("x0", "x1")), regimes=names,
    )  # fmt: skip
    return make_golden(windows[rows], outputs, count, contract, b"")


def distances(regimes, n_regimes=2):
    """Distance 0.2 to the given regime, 1 to the others."""
    table = np.ones((len(regimes), n_regimes))
    table[np.arange(len(regimes)), regimes] = 0.2
    return table


def windows(count):
    return np.arange(count * 6, dtype=np.float64).reshape(count, 3, 2)


@pytest.fixture
def edited(detector, tmp_path):
    """Write the golden file, with its content edited; return its path."""

    def write(edit):
        path = tmp_path / "g.json"
        write_golden(detector.golden_, path)
        content = json.loads(path.read_text())
        edit(content)
        path.write_text(json.dumps(content))
        return path

    return write


def test_save_writes_it_beside_the_model(detector, model_path):
    path = golden_path(model_path)
    assert path.name == "small.golden.json"
    golden = read_golden(path, detector.model_.contract)
    assert golden.window.shape == (64, 11, 4)
    found, made = (
        [g.window, g.labels_from_start, *(g.outputs[name] for name in OUTPUT_NAMES)]
        for g in (golden, detector.golden_)
    )
    for read, written in zip(found, made, strict=True):
        np.testing.assert_array_equal(read, written, strict=True)


def test_the_outputs_are_those_of_the_twin_and_not_of_the_graph(detector):
    golden = detector.golden_
    scaled = preprocess_windows(detector.model_.contract, golden.window)
    twin = detector._encoder.twin(scaled)
    graph = detector.model_.run(golden.window, ("embedding",))["embedding"]
    embedding = golden.outputs["embedding"]
    assert twin.dtype == np.float64
    np.testing.assert_array_equal(embedding, twin.astype(np.float32))
    np.testing.assert_allclose(embedding, np.asarray(detector.encoder_(scaled)), atol=1e-5)
    assert (embedding == graph).mean() < 0.9


def test_the_windows_are_a_run_with_changes_and_a_spread(detector, values):
    golden = detector.golden_
    every = rg.rolling_windows(values.astype(np.float32), 11)
    rows = [int(np.flatnonzero((every == w).all(axis=(1, 2)))[0]) for w in golden.window]
    assert rows[:40] == list(range(rows[0], rows[0] + 40))
    assert rows[40:] == sorted(rows[40:])
    assert len(set(rows)) == 64
    assert len(set(golden.labels_from_start.tolist())) > 1
    np.testing.assert_array_equal(
        golden.outputs["regime"], golden.outputs["distance"].argmin(axis=1)
    )


def test_one_regime_and_few_windows():
    for count in (1, 2, 5, 39, 41, 50):
        golden = golden_of(windows(count), np.full((count, 1), 0.3), 1.0)
        assert len(golden.window) == count
        assert golden.labels_from_start.tolist() == [0] * min(40, count)
        assert sorted(golden.outputs["embedding"][:, 0].tolist()) == list(range(count))


def test_the_run_is_where_labels_change_and_not_where_distances_tie():
    distance = distances(np.repeat([0, 1, 0, 1], [100, 20, 280, 100]))
    distance[95:125] = 0.5  # two changes in the midst of ties; the one at 400 is clear
    golden = golden_of(windows(500), distance, 0.1)
    run = golden.outputs["embedding"][:40, 0].astype(int)
    assert {395, 400} <= set(run)
    assert set(golden.labels_from_start.tolist()) == {0, 1}
    assert not set(golden.outputs["embedding"][40:, 0].astype(int)) & set(range(95, 125))


def test_the_text_is_the_shortest_that_reads_back(detector, tmp_path):
    path = tmp_path / "g.json"
    write_golden(detector.golden_, path)
    content = json.loads(path.read_text())
    assert content["format_version"] == 2
    assert content["model"] == detector.model_.sha256
    number = content["window"][0][0][0]
    assert repr(number) == str(detector.golden_.window[0, 0, 0])
    again = read_golden(path, detector.model_.contract)
    write_golden(again, tmp_path / "h.json")
    assert (tmp_path / "h.json").read_bytes() == path.read_bytes()


LATER = ("model", "columns", "regimes", "probabilities_from_start", "novel_from_start")


def test_a_file_without_a_version_is_of_the_first(detector, edited, tmp_path):
    path = edited(lambda c: [c.pop(name) for name in ("format_version", *LATER)])
    golden = read_golden(path, detector.model_.contract)
    assert len(golden.window) == 64
    assert all(getattr(golden, name) is None for name in LATER)
    write_golden(golden, tmp_path / "h.json")
    assert json.loads((tmp_path / "h.json").read_text())["format_version"] == 1


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: c.update(format_version=3), "format version 3; this release reads 1 and 2"),
        *((lambda c, name=name: c.pop(name), "damaged") for name in LATER),
        (lambda c: c["columns"].reverse(), "its columns are x3, x2, x1, x0, where x0, x1, x2, x3"),
        (lambda c: c["regimes"].reverse(), "its regimes are regime_2, regime_1, regime_0"),
        (lambda c: c["novel_from_start"].pop(), r"shapes \(40, 3\) and \(39,\)"),
        (lambda c: c.pop("distance"), "damaged"),
        (lambda c: c.update(window="x"), "damaged"),
        (lambda c: c["window"].pop(), "of another model or damaged"),
        (lambda c: c["embedding"][3].pop(), "damaged"),
        (lambda c: c["novelty"].__setitem__(0, 1e99), "novelty has shape"),
        (lambda c: c.update(labels_from_start=[]), "holds 0 causal labels"),
        (lambda c: c.update(labels_from_start=[0] * 65), "holds 65 causal labels"),
        (lambda c: c.update(jump_penalty=3.0), "at a penalty of 3, where at most 64 at 1"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_a_wrong_file_is_refused(detector, edited, edit, message):
    path = edited(edit)
    with pytest.raises(ModelError, match=message):
        read_golden(path, detector.model_.contract)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "3"])
def test_what_is_no_golden_file_is_refused(detector, tmp_path, text):
    path = tmp_path / "g.json"
    path.write_text(text)
    with pytest.raises(ModelError, match="damaged"):
        read_golden(path, detector.model_.contract)


def test_a_model_without_one(detector, tmp_path):
    path = tmp_path / "m.onnx"
    detector.save(path)
    assert len(list(tmp_path.iterdir())) == 2
    detector.save(path, golden=False)
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]
    with pytest.raises(ModelError, match="no golden file"):
        read_golden(golden_path(path), detector.model_.contract)


def test_both_files_or_neither(detector, tmp_path):
    (tmp_path / "m.golden.json").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        detector.save(tmp_path / "m.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["m.golden.json"]
