"""The loop, on tiny chunks and step by step, and the command around it."""

import contextlib
import csv
import itertools
import json
import os
import signal

import numpy as np
import pytest
import tensorflow as tf
from networks import random_weights

from regimetry.encoder.pretraining import batches, drawing, run
from regimetry.encoder.pretraining.__main__ import main
from regimetry.encoder.pretraining.checkpoint import Checkpoint
from regimetry.encoder.pretraining.prior import ASPECTS
from regimetry.encoder.pretraining.step import Trainer
from regimetry.encoder.pretraining.weights import read_weights
from regimetry.errors import ConfigError, RegimetryError
from regimetry.files import alone


@pytest.fixture
def tiny(monkeypatch):
    """Chunks of one batch of two short series; steps without a graph, whose tracing takes long."""
    monkeypatch.setattr(batches, "SERIES", 2)
    monkeypatch.setattr(batches, "CHUNK", 1)
    monkeypatch.setattr(batches, "_ROWS", 256)
    monkeypatch.setattr(batches, "_TOKENS", 120)
    monkeypatch.setattr(drawing, "sizes_of", lambda number: (10, 16))
    monkeypatch.setattr(run, "_VALIDATION_CHUNKS", 1)
    monkeypatch.setattr(run, "_VALIDATION_SIZES", (10,))
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def go_on(folder, state, series, **more):
    given = {"workers": 0, "every_s": 1e9, "shown": False, **more}
    folder.mkdir(exist_ok=True)
    run.pretrain(folder, state, run.Budget(series=series), **given)
    return state


def begun(seed):
    """A beginning that is past the first ten steps, whose average is the weights themselves."""
    state = Checkpoint.begin(seed, ["tails"])
    state.steps = 40
    return state


def assert_same(one, other):
    for part in ("weights", "average", "optimizer"):
        for name, array in getattr(one, part).items():
            np.testing.assert_array_equal(getattr(other, part)[name], array, err_msg=name)


@pytest.mark.usefixtures("tiny")
def test_a_run_cut_in_two_is_one_run_to_the_bit(tmp_path):
    whole = go_on(tmp_path / "whole", begun(3), 4)
    go_on(tmp_path / "cut", begun(3), 2)
    cut = go_on(tmp_path / "cut", Checkpoint.read(tmp_path / "cut"), 4)
    assert (cut.series, cut.steps, cut.chunks) == (whole.series, whole.steps, whole.chunks)
    assert (whole.series, whole.steps, whole.chunks) == (4, 42, 2)
    assert_same(whole, cut)
    assert_same(whole, Checkpoint.read(tmp_path / "cut"))
    for name, array in begun(3).weights.items():
        if not name.startswith("stem_") or name[5] in "01":  # short windows use two groups
            assert not np.array_equal(whole.weights[name], array), name
            assert not np.array_equal(whole.average[name], whole.weights[name]), name
    with (tmp_path / "cut" / run.CURVE).open(newline="") as file:
        assert [row["series"] for row in csv.DictReader(file)] == ["2", "4"]
    with pytest.raises(AssertionError):
        assert_same(whole, go_on(tmp_path / "other", begun(4), 2))


@pytest.mark.usefixtures("tiny")
def test_a_run_ends_where_it_is_asked_to_and_one_that_is_spent_does_nothing(tmp_path):
    state = go_on(tmp_path / "a", Checkpoint.begin(0, ()), 1000, stopped=lambda: True)
    assert state.series == Checkpoint.read(tmp_path / "a").series == 2
    go_on(tmp_path / "b", state, 2)
    assert not list((tmp_path / "b").iterdir())
    with pytest.raises(ConfigError, match="has no line"):
        run.last_scores(tmp_path / "b")


@pytest.mark.usefixtures("tiny")
def test_the_command_begins_goes_on_and_writes_the_weights(tmp_path, capsys):
    folder = tmp_path / "run"
    common = [str(folder), "--workers", "0"]
    main([*common, "--series", "2", "--seed", "5", "--without", "tails", "jumps"])
    assert capsys.readouterr().out.startswith(f"Wrote {folder / 'weights.npz'}: 2 series in 0.0")
    first = read_weights(folder / "weights.npz")
    main([*common, "--series", "4"])
    found, state = read_weights(folder / "weights.npz"), Checkpoint.read(folder)
    assert found.sum != first.sum
    for name, array in state.average.items():
        np.testing.assert_array_equal(found.arrays[name], array)
    card = dict(found.card)
    assert card.pop("versions").keys() == {"tensorflow", "keras", "numpy"}
    assert (card.pop("entropy"), card.pop("right")) == run.last_scores(folder)
    assert card.pop("hours") == round(state.seconds / 3600, 4)
    assert isinstance(card.pop("device"), str)
    assert card == {"seed": 5, "without": ["jumps", "tails"], "series": 4}
    json.dumps(found.card)


@pytest.mark.usefixtures("tiny")
def test_ctrl_c_ends_a_run_with_checkpoint_and_weights(tmp_path, capfd, monkeypatch):
    step, before = Trainer.step, signal.getsignal(signal.SIGINT)

    def interrupted(self, *arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return step(self, *arguments)

    monkeypatch.setattr(Trainer, "step", interrupted)
    main([str(tmp_path), "--workers", "0", "--hours", "1"])
    assert Checkpoint.read(tmp_path).series == 2
    assert read_weights(tmp_path / "weights.npz").card["series"] == 2
    assert "Ends after this chunk" in capfd.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before

    def again(self, *arguments):
        interrupted(self, *arguments)
        return interrupted(self, *arguments)

    monkeypatch.setattr(Trainer, "step", again)
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), "--workers", "0", "--hours", "1"])
    assert ended.value.code == 130
    assert Checkpoint.read(tmp_path).series == 2


@pytest.mark.usefixtures("tiny")
def test_a_worker_that_is_killed_ends_a_run_with_what_it_has_learned(tmp_path, capsys, monkeypatch):
    def drawn_once(*arguments, **named):
        yield from itertools.islice(drawing.chunks(*arguments, **{**named, "workers": 0}), 1)

    monkeypatch.setattr(run, "chunks", drawn_once)
    with pytest.raises(RegimetryError, match="was ended from outside"):
        go_on(tmp_path / "a", Checkpoint.begin(0, ()), 1000)
    assert Checkpoint.read(tmp_path / "a").series == 2
    assert run.last_scores(tmp_path / "a")[0] > 0
    asked = go_on(
        tmp_path / "b", Checkpoint.begin(0, ()), 1000, stopped=iter([False, True]).__next__
    )
    assert asked.series == Checkpoint.read(tmp_path / "b").series == 2
    monkeypatch.setattr(run, "chunks", lambda *arguments, **named: iter(()))
    monkeypatch.setattr(run, "closing", contextlib.nullcontext)
    go_on(tmp_path / "c", Checkpoint.begin(0, ()), 1000, stopped=lambda: True)
    assert not list((tmp_path / "c").iterdir())  # nothing was learned


@pytest.mark.usefixtures("tiny")
def test_a_curve_that_was_cut_goes_on_from_its_last_whole_line(tmp_path):
    state = go_on(tmp_path, Checkpoint.begin(0, ()), 4, every_s=0)
    path = tmp_path / run.CURVE
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    go_on(tmp_path, Checkpoint.read(tmp_path), 6)
    with path.open(newline="") as file:
        assert [row["series"] for row in csv.DictReader(file)] == ["2", "6"]
    assert whole.splitlines()[:2] == path.read_bytes().splitlines()[:2]
    assert state.series == 4


def test_what_another_optimizer_kept_is_refused():
    trainer = Trainer(random_weights())
    kept = trainer.optimizer_state()
    trainer.restore({})
    trainer.restore(kept)
    place = next(place for place, array in kept.items() if array.ndim == 2)
    for other in ({**kept, "900": kept["0"]}, {**kept, place: kept[place][1:]}):
        with pytest.raises(ConfigError, match=f"this release of Keras keeps {len(kept)}, or"):
            trainer.restore(other)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "No budget is given"),
        (["--series", "0"], "--series is 0; it must be positive"),
        (["--hours", "-1"], "--hours is -1.0; it must be positive"),
        (["--hours", "nan"], "--hours is nan; it must be positive"),
        (["--series", "16", "--workers", "-1"], "--workers is -1"),
        (["--series", "16", "--seed", "-1"], "--seed is -1"),
        (["--series", "16", "--batches", "5"], "--batches is 5; it must be 1 to 4"),
        (["--series", "16", "--every", "-1"], "--every is -1.0; it must be 0 or more"),
        (["--series", "16", "--every", "nan"], "--every is nan"),
        (["--series", "16", "--without", "colour"], "without has 'colour'"),
        (["--series", "16", "--without", *ASPECTS], "--without leaves no aspect"),
    ],
)
def test_the_command_refuses(flags, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "run"), *flags])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("flags", [["--seed", "1"], ["--without", "tails"]])
def test_a_folder_of_another_seed_or_without_other_aspects_is_refused(flags, tmp_path, capsys):
    Checkpoint.begin(0, ()).write(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), "--series", "16", *flags])
    assert ended.value.code == 2
    assert "the checkpoint was begun with" in capsys.readouterr().err


def test_a_folder_that_is_a_file_is_refused(tmp_path, capsys):
    (tmp_path / "file").touch()
    for name in ("file", "file/folder"):
        with pytest.raises(SystemExit) as ended:
            main([str(tmp_path / name), "--series", "16"])
        assert ended.value.code == 2
        assert "cannot be used" in capsys.readouterr().err


def test_two_runs_do_not_share_a_folder(tmp_path, capsys):
    with alone(tmp_path), pytest.raises(SystemExit):
        main([str(tmp_path), "--series", "16"])
    assert "is busy" in capsys.readouterr().err


def batch_of_two_levels(seed):
    """Two series whose regimes differ in level alone."""
    states = (np.arange(400) % 80 < 40).astype(np.int64)
    generators = [np.random.default_rng((seed, number)) for number in range(2)]
    rows = [
        (2.0 * states[:, None] - 1.0 + 0.3 * generator.standard_normal((400, 2))).astype(np.float32)
        for generator in generators
    ]
    return batches._batch([(r, states) for r in rows], batches.Geometry.of(10), generators[0])


def weights_after(some, **options):
    trainer = Trainer(random_weights(), **options)
    trainer.step(some, 1e-3)
    return trainer.weights()


def test_a_step_in_a_graph_learns_what_it_has_seen_and_a_compiled_one_is_the_same():
    batch, trainer = batch_of_two_levels(0), Trainer(random_weights())
    before = trainer.step([batch], 1e-3)
    moved = weights_after([batch], xla=True)
    for name, array in trainer.weights().items():
        np.testing.assert_allclose(moved[name], array, atol=2e-4, err_msg=name)
    for _ in range(8):
        after = trainer.step([batch], 1e-3)
    assert after < 0.7 * before
    assert trainer.score(batch)[2] > 0.9


@pytest.mark.usefixtures("tiny")
def test_a_step_of_two_batches_goes_along_their_mean():
    one, other = batch_of_two_levels(0), batch_of_two_levels(1)
    alone, both = weights_after([one]), weights_after([one, other])
    twice, turned = weights_after([one, one]), weights_after([other, one])
    for name, array in both.items():
        np.testing.assert_array_equal(twice[name], alone[name], err_msg=name)
        np.testing.assert_array_equal(turned[name], array, err_msg=name)
    assert not np.array_equal(both["gate"], alone["gate"])


def test_the_learning_rate_rises_and_then_falls_without_an_end():
    assert run.learning_rate(0) < run.learning_rate(100) < run.learning_rate(199)
    assert run.learning_rate(200) > run.learning_rate(10_000) > run.learning_rate(100_000) > 0
