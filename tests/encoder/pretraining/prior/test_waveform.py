"""Cycles: their shapes, periods and noise; long cycles, bodies, machines."""

import numpy as np
import pytest

from regimetry.encoder.pretraining.prior import ASPECTS, repeats, waveform
from regimetry.encoder.pretraining.prior.body import draw_body
from regimetry.encoder.pretraining.prior.cycles import draw_cycles
from regimetry.encoder.pretraining.prior.machine import draw_machine
from regimetry.encoder.pretraining.prior.path import Path, draw_long_path, one_state
from regimetry.encoder.pretraining.prior.repeats import draw_repeats
from regimetry.encoder.pretraining.prior.shapes import SHAPES, draw_shape, trace
from regimetry.encoder.pretraining.prior.waveform import (
    Ranges,
    draw_phase,
    draw_waveform,
    wander,
)

EVERYTHING = frozenset(ASPECTS)


@pytest.fixture
def generator():
    return np.random.default_rng(0)


@pytest.mark.parametrize("shape", [*SHAPES, "bumps"])
def test_a_shape_closes_and_has_variance_1(generator, shape):
    cycle = draw_shape(generator, 4, shape)
    assert cycle.shape == (257, 4)
    np.testing.assert_array_equal(cycle[0], cycle[-1])
    np.testing.assert_allclose(cycle[:-1].mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(cycle[:-1].var(axis=0), 1.0)


def test_shapes_are_what_they_are_called(generator):
    sine = draw_shape(generator, 1, "sine")[:-1, 0]
    energy = np.abs(np.fft.rfft(sine)) ** 2
    assert energy[1] / energy.sum() == pytest.approx(1.0)
    square = draw_shape(generator, 1, "square")
    assert len(np.unique(square.round(9))) == 2
    for shape, corners in (("triangle", 4), ("saw", 2)):  # a corner may lie between two points
        bends = np.diff(draw_shape(generator, 1, shape)[:, 0], 2)
        assert 1 <= np.sum(np.abs(bends) > 1e-9) <= corners
    pulse = draw_shape(generator, 1, "pulse")[:-1, 0]
    assert (pulse > 0).mean() < 0.45
    fourier = np.abs(np.fft.rfft(draw_shape(generator, 1, "fourier")[:-1, 0]))
    assert fourier[8:].max() < 1e-9


def test_a_shape_is_traced_between_its_points(generator):
    shapes = draw_shape(generator, 1, "sine")[None]
    start = np.arctan2(shapes[0, 0, 0], shapes[0, 64, 0])
    phase = generator.uniform(-3.0, 3.0, 500)
    expected = np.sqrt(2.0) * np.sin(2 * np.pi * phase + start)
    found = trace(shapes, np.zeros(500, int), phase)[:, 0]
    np.testing.assert_allclose(found, expected, atol=3e-4)


def strongest_period(channel):
    energy = np.abs(np.fft.rfft(channel - channel.mean())) ** 2
    return len(channel) / (1 + int(energy[1:].argmax()))


def test_periods_are_of_the_state(generator, monkeypatch):
    monkeypatch.setattr(waveform, "_VARIED", {"period": 1.0})
    monkeypatch.setattr(waveform, "draw_shape", lambda g, n: draw_shape(g, n, "sine"))
    path = Path(np.repeat([0, 1], 4000), 2)
    ratios = []
    for _ in range(40):
        values = draw_waveform(generator, path, 1, Ranges((5.0, 80.0), (0.01, 0.02)))[:, 0]
        periods = [strongest_period(values[rows]) for rows in path.rows]
        assert all(4.0 < period < 100.0 for period in periods)
        ratios.append(max(periods) / min(periods))
    assert np.median(ratios) > 1.5


def test_noise_has_its_range(generator, monkeypatch):
    monkeypatch.setattr(waveform, "happens", lambda *_: False)  # a steady cycle
    monkeypatch.setattr(waveform, "draw_shape", lambda g, n: draw_shape(g, n, "sine"))
    for noise in (0.003, 0.5):
        values = draw_waveform(
            generator, one_state(4000), 1, Ranges((100.0, 101.0), (noise, noise * 1.01))
        )
        assert values.std() == pytest.approx(1.0, abs=0.03)
        rough = np.diff(values[:, 0], 3).std() / np.sqrt(20.0)  # three differences of white noise
        assert rough == pytest.approx(noise / np.sqrt(1 + noise**2), rel=0.2)


def test_wandering_is_smooth(generator):
    curve = np.stack([wander(generator, 2048) for _ in range(50)])
    assert 0.5 < curve.std() < 1.1
    assert np.abs(np.diff(curve, 2)).max() < 1.0
    assert np.mean(np.abs(np.diff(curve, 2)) > 1e-9) < 0.2  # straight lines


def test_long_cycles_are_long_and_nearly_noiseless(generator):
    for _ in range(30):
        path = draw_long_path(generator, 4096)
        values, differ = draw_cycles(generator, path, 2, EVERYTHING)
        assert {"waveform"} <= differ <= {"waveform", "level", "volatility"}
        for rows in path.rows:
            stay = values[rows][: np.flatnonzero(np.diff(rows, append=-1) != 1)[0] + 1]
            steps = np.median(np.abs(np.diff(stay, axis=0)), axis=0)
            assert (steps < 0.25 * stay.std(axis=0)).all()


def mean_cycle(values, phase):
    """The mean of a channel in each of 32 parts of the cycle."""
    part = (phase % 1.0 * 32).astype(int)
    return np.bincount(part, values, minlength=32) / np.bincount(part, minlength=32)


def test_states_of_repeats_differ_in_details_of_a_cycle(generator, monkeypatch):
    phases = []

    def kept(*arguments):
        phases.append(draw_phase(*arguments))
        return phases[-1]

    monkeypatch.setattr(repeats, "draw_phase", kept)
    alike, told = [], []
    for _ in range(40):
        path = Path(np.tile(np.repeat([0, 1], 6000), 2), 2)
        values, differ = draw_repeats(generator, path, 2, EVERYTHING)
        assert differ == {"waveform"}
        first, second, again, _ = np.split(np.arange(len(values)), 4)
        one, other, same = (
            mean_cycle(values[rows, 0], phases[-1][rows]) for rows in (first, second, again)
        )
        alike.append(np.corrcoef(one, other)[0, 1])
        told.append(np.abs(one - same).mean() < np.abs(one - other).mean())
    assert np.median(alike) > 0.7
    assert np.mean(told) > 0.9


def test_cycles_of_repeats_differ_by_chance(generator, monkeypatch):
    phase = np.linspace(0.0, 99.999, 5000)
    values = repeats._chance(generator, 1, phase)[:, 0].reshape(100, 50)
    assert values.std(axis=0).max() > 0.01
    monkeypatch.setattr(repeats, "draw_phase", lambda *_: phase)
    path = one_state(5000)
    drawn = draw_repeats(generator, path, 1, EVERYTHING)[0][:, 0].reshape(100, 50)
    assert drawn.mean(axis=0).std() > 2.0 * (drawn - drawn.mean(axis=0)).std(axis=0).mean() / 10


def test_a_body_moves_in_cycles_and_may_rest(generator):
    resting = 0
    for _ in range(60):
        path = Path(np.repeat([0, 1, 2], 700), 3)
        values, differ = draw_body(generator, path, 4, EVERYTHING)
        assert {"waveform", "volatility"} <= differ <= {"waveform", "volatility", "level"}
        spread = np.array([values[rows].std(axis=0).mean() for rows in path.rows])
        resting += spread.min() < 0.35 * np.median(spread)
    assert 5 < resting < 35
    values, differ = draw_body(generator, path, 4, frozenset({"waveform"}))
    assert differ == {"waveform"}
    spread = np.array([values[rows].std(axis=0) for rows in path.rows])
    assert spread.max() / spread.min() < 2.0


def test_a_machine_stands_at_its_set_points(generator):
    for _ in range(40):
        path = Path(np.repeat([0, 1, 2, 0, 1], 400), 3)
        values, differ = draw_machine(generator, path, 5, EVERYTHING)
        assert "level" in differ
        settled = [rows[np.diff(rows, prepend=-1) == 1][-100:] for rows in path.rows]
        points = np.array([np.median(values[rows, 0]) for rows in settled])
        noise = max(values[rows, 0].std() for rows in settled)
        assert np.diff(np.sort(points)).min() > 1.5 * noise


def test_a_machine_without_bursts_and_shafts(generator):
    path = Path(np.repeat([0, 1], 300), 2)
    seen = set()
    for _ in range(60):
        seen |= draw_machine(generator, path, 6, frozenset({"level", "kind"}))[1]
    assert seen == {"level", "kind"}
