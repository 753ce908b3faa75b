"""No future changes the past: bit by bit, in every verb, with differencing, with features of bars.

The outputs of bar t are compared with and without bars behind it. ``smooth`` is the one verb that
looks ahead, and the same comparison sees that it does.
"""

from dataclasses import replace

import numpy as np
import pytest
from encoders import FAST
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import regimetry as rg
from regimetry.series.features import BarColumns, OhlcvFeatures

BARS = BarColumns("open", "high", "low", "close")
MODELS = ("differenced", "level", "bars")
TWO_BLOCKS = replace(FAST, num_transformer_blocks=2)
CAUSAL = ("predict", "predict_proba", "novelty", "embed")

anything = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def fit(values, **parameters):
    given = {"window_size": 10, "n_regimes": 3, "n_landmarks": 100, **parameters}
    return rg.RegimeDetector(encoder=TWO_BLOCKS, random_state=0, **given).fit(values)


def make_bars(values):
    """Open, high, low and close (T, 4) whose log returns are the first column of ``values``."""
    close = 100 * np.exp(np.cumsum(values[:, 0]))
    opening = np.r_[100.0, close[:-1]]
    reach = np.exp(np.abs(values[:, 1]))
    bars = (opening, np.maximum(opening, close) * reach, np.minimum(opening, close) / reach, close)
    return np.column_stack(bars)


class Causal:
    """A model and the bars it is asked about; ``read`` makes its input of bars."""

    def __init__(self, model, past, read=lambda bars: bars):
        self.model, self.past, self.read = model, past, read
        self.first = len(past) - len(read(past)) + model.contract.window_rows - 1

    def futures(self):
        """Positive values of any size, so that logarithms exist: every model reads them."""
        return st.integers(1, 70).flatmap(
            lambda n: st.builds(
                self._future,
                st.just(n),
                st.sampled_from(["calm", "wild", "huge", "tiny", "constant", "jump"]),
                st.integers(0, 2**16),
            )
        )

    def _future(self, n, kind, seed):
        noise = np.random.default_rng(seed).standard_normal((n, 4))
        last = np.abs(self.past[-1]) + 1e-3
        scale = {"calm": 0.01, "wild": 1.0, "huge": 0.0, "tiny": 0.0, "constant": 0.0, "jump": 0.01}
        factor = {"huge": 1e12, "tiny": 1e-12, "jump": 50.0}
        future = last * np.exp(scale[kind] * noise) * factor.get(kind, 1.0)
        if len(self.read(self.past)) < len(self.past):  # bars: keep low <= open, close <= high
            future = np.column_stack(
                [future[:, 0], future.max(axis=1), future.min(axis=1), future[:, 3]]
            )
        return future

    def outputs(self, bars, verb):
        return getattr(self.model, verb)(self.read(bars))


@pytest.fixture(scope="session")
def causal(detector, simulation):
    clean, values = simulation
    bars = make_bars(clean.values)
    features = OhlcvFeatures(BARS, 5)
    level = clean.values[:, :3].repeat([2, 1, 1], axis=1) + np.arange(4)
    plain = fit(level, difference="none", evidence="window")
    made = fit(features.array(bars), difference="none")
    return {
        "differenced": Causal(detector.model_, values),
        "level": Causal(plain.model_, level),
        "bars": Causal(made.model_, bars, features.array),
    }


def past_is_unchanged(case, verb, cut, future):
    """Whether the outputs of the first ``cut`` bars are the same with and without a future."""
    alone = case.outputs(case.past[:cut], verb)
    longer = case.outputs(np.concatenate([case.past[:cut], future]), verb)
    return np.array_equal(longer[: len(alone)], alone, equal_nan=verb != "predict")


def test_the_models_read_what_they_are_named_for(causal):
    kinds = {name: set(case.model.contract.transforms) for name, case in causal.items()}
    assert "log_difference" in kinds["differenced"]
    assert kinds["level"] == kinds["bars"] == {"level"}
    told_by = {name: case.model.contract.evidence for name, case in causal.items()}
    assert told_by == {"differenced": "window", "level": "window", "bars": "bar"}
    assert {name: case.first for name, case in causal.items()} == {
        "differenced": 10,
        "level": 9,
        "bars": 14,
    }


@pytest.mark.parametrize("name", MODELS)
@anything
@given(data=st.data())
def test_no_future_changes_the_past(causal, name, data):
    case = causal[name]
    cut, future = data.draw(st.integers(case.first + 1, 150)), data.draw(case.futures())
    assert [verb for verb in CAUSAL if not past_is_unchanged(case, verb, cut, future)] == []


@pytest.mark.parametrize("name", MODELS)
def test_smooth_looks_ahead_and_the_comparison_sees_it(causal, name):
    case = causal[name]
    cuts = range(200, 690, 10)
    by_window = case.model.contract.evidence == "window"
    shift = case.model.contract.window_size // 2 if by_window else 0  # a window's label is late
    seen = []
    for cut in cuts:
        alone, longer = (case.outputs(case.past[:end], "smooth") for end in (cut, cut + 10))
        seen.append(not np.array_equal(longer[: len(alone) - shift], alone[: len(alone) - shift]))
    assert any(seen)
    assert all(past_is_unchanged(case, "predict", cut, case.past[cut : cut + 10]) for cut in cuts)


@pytest.mark.parametrize("verb", CAUSAL)
def test_a_verb_that_looks_ahead_would_be_seen(causal, verb, monkeypatch):
    case = causal["level"]

    def centred(bars):
        return bars - bars.mean(axis=0) + case.past.mean(axis=0)

    monkeypatch.setattr(case, "read", centred)
    changed = [
        not past_is_unchanged(case, verb, cut, case.past[cut : cut + 40] + 0.02)
        for cut in range(100, 200, 10)
    ]
    assert any(changed)
