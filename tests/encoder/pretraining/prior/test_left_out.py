"""What ``without`` leaves out is drawn nowhere: not in regimes, not in channels of no use."""

from collections import Counter
from importlib import import_module

import numpy as np
import pytest

from regimetry.encoder.pretraining.prior import ASPECTS, draw_series

HOME = "regimetry.encoder.pretraining.prior"
DRAWS = {  # who calls what, and the aspects of which each must be allowed
    ("regimes", "draw_levels"): {"level"},
    ("body", "draw_levels"): {"level"},
    ("machine", "_set_points"): {"level", "kind"},
    ("regimes", "draw_volatilities"): {"volatility"},
    ("body", "_amplitudes"): {"volatility"},
    ("noise", "draw_correlations"): {"correlation"},
    ("observation", "mix"): {"correlation"},
    ("noise", "draw_coefficients"): {"dynamics"},
    ("noise", "draw_matrices"): {"dynamics", "correlation"},
    ("one_regime", "_autoregression"): {"dynamics"},
    ("one_regime", "_trend"): {"dynamics"},
    ("nuisance", "lfilter"): {"dynamics"},
    ("noise", "draw_tails"): {"tails"},
    ("observation", "curve"): {"tails"},
    ("observation", "add_outliers"): {"tails", "jumps"},
    ("noise", "draw_jumps"): {"jumps"},
    ("noise", "draw_clustering"): {"garch"},
    ("one_regime", "draw_clustering"): {"garch"},
    ("nuisance", "draw_clustering"): {"garch"},
    ("regimes", "draw_waveform"): {"waveform"},
    ("cycles", "draw_waveform"): {"waveform"},
    ("one_regime", "draw_waveform"): {"waveform"},
    ("body", "draw_shape"): {"waveform"},
    ("repeats", "draw_shape"): {"waveform"},
    ("machine", "draw_waveform"): {"waveform", "volatility", "kind"},
    ("regimes", "draw_chaos"): {"kind"},
    ("regimes", "draw_bursts"): {"kind", "jumps"},
    ("machine", "draw_bursts"): {"kind", "jumps", "volatility"},
}


@pytest.fixture
def calls(monkeypatch):
    """Count who draws what."""
    counted = Counter()

    def watched(key, draw):
        def counting(*arguments, **named):
            counted[key] += 1
            return draw(*arguments, **named)

        return counting

    for key in DRAWS:
        module, name = import_module(f"{HOME}.{key[0]}"), key[1]
        monkeypatch.setattr(module, name, watched(key, getattr(module, name)))
    machine = import_module(f"{HOME}.machine")
    monkeypatch.setitem(machine._SENSE, "set_point", machine._set_points)
    return counted


def test_with_everything_allowed_everything_is_drawn(calls):
    generator = np.random.default_rng(0)
    for _ in range(700):
        draw_series(generator, 256)
    assert set(calls) == set(DRAWS)


@pytest.mark.parametrize(
    "without",
    [*([name] for name in ASPECTS), ["garch", "tails", "jumps"], ["waveform", "kind"], ASPECTS],
    ids="-".join,
)
def test_what_is_left_out_is_not_drawn(calls, without):
    generator = np.random.default_rng(1)
    for _ in range(150):
        drawn = draw_series(generator, 256, without=without)
        assert not set(drawn.aspects) & set(without)
    forbidden = {key for key, needed in DRAWS.items() if needed & set(without)}
    assert forbidden
    assert not set(calls) & forbidden


def kurtosis(rows):
    return float(np.median((rows.astype(np.float64) ** 4).mean(axis=0)))


def test_heavy_tails_come_from_the_aspects_that_bring_them():
    """With correlation and dynamics alone, a series of few channels is normal; else it is not."""
    others = {"level", "volatility", "waveform", "kind"}
    for left_out, heavy in ((others | {"garch", "tails", "jumps"}, False), (others, True)):
        generator = np.random.default_rng(2)
        found = [kurtosis(draw_series(generator, without=left_out).rows) for _ in range(100)]
        assert (np.mean(np.array(found) > 4.5) > 0.2) == heavy
        assert (np.mean(np.array(found) > 4.5) < 0.08) == (not heavy)


def strongest_line(rows):
    """Return the largest share of a channel's energy in one frequency and its neighbours."""
    energy = np.abs(np.fft.rfft(rows.astype(np.float64), axis=0)) ** 2
    energy = energy[20:]  # faster than 100 rows
    return float((energy.max(axis=0) / energy.sum(axis=0)).max())


def test_lines_of_a_spectrum_come_from_waveforms():
    shares = []
    for left_out in ((), {"waveform", "kind"}):
        generator = np.random.default_rng(3)
        found = [strongest_line(draw_series(generator, without=left_out).rows) for _ in range(150)]
        shares.append(np.mean(np.array(found) > 0.2))
    assert shares[0] > 0.15
    assert shares[1] < 0.05
