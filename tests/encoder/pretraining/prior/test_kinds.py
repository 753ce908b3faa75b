"""Kinds of regimes: two states of one kind always differ in something."""

import numpy as np
import pytest

from regimetry.encoder.pretraining.prior import ASPECTS
from regimetry.encoder.pretraining.prior.kinds import NOISE_ASPECTS, aspects_of, draw_kinds

EVERYTHING = frozenset(ASPECTS)


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def test_states_that_differ_by_kind_are_of_two_kinds(generator):
    kinds = [draw_kinds(generator, 2, frozenset({"kind"}), EVERYTHING) for _ in range(200)]
    assert all(len(set(k)) == 2 for k in kinds)
    assert {k for pair in kinds for k in pair} == {"noise", "waveform", "chaos", "bursts"}


def test_noise_comes_once_where_nothing_else_may_differ(generator):
    alone = frozenset({"kind"})
    kinds = [draw_kinds(generator, 5, alone, alone) for _ in range(50)]
    assert {k.count("noise") for k in kinds} <= {0, 1}
    assert max(draw_kinds(generator, 5, alone, EVERYTHING).count("noise") for _ in range(50)) > 1


def test_states_that_do_not_differ_by_kind(generator):
    for _ in range(50):
        assert draw_kinds(generator, 3, frozenset({"level"}), EVERYTHING) == ["noise"] * 3
    allowed = EVERYTHING - {"kind"}
    for _ in range(50):
        kinds = draw_kinds(generator, 3, frozenset({"waveform"}), allowed)
        assert kinds == ["waveform"] * 3
    mixed = [draw_kinds(generator, 3, frozenset({"waveform"}), EVERYTHING) for _ in range(100)]
    assert all("waveform" in k for k in mixed)
    assert any("noise" in k for k in mixed)


@pytest.mark.parametrize(
    ("kinds", "chosen", "expected"),
    [
        (["waveform", "noise"], {"waveform", "dynamics"}, {"kind"}),
        (["waveform", "waveform", "noise"], {"kind"}, {"kind", "waveform"}),
        (["noise", "noise"], {"tails"}, {"tails"}),
        (["noise", "noise", "chaos"], {"kind", "level"}, {"kind", "level"}),
        (["chaos", "bursts"], {"kind", "volatility", "garch"}, {"kind", "volatility"}),
    ],
)
def test_aspects_are_those_that_show(generator, kinds, chosen, expected):
    found = aspects_of(generator, kinds, frozenset(chosen), allowed=EVERYTHING, n_features=2)
    assert found == expected


def test_two_states_of_noise_get_an_aspect_to_differ_by(generator):
    kinds, chosen = ["noise", "noise", "chaos"], frozenset({"kind"})
    seen = set()
    for _ in range(100):
        found = aspects_of(generator, kinds, chosen, allowed=EVERYTHING, n_features=1)
        assert len(found) == 2
        seen |= found
    assert {"dynamics", "garch"} <= seen <= {"kind", "level", "volatility", *NOISE_ASPECTS}
    assert "correlation" not in seen  # of one channel
    alone = frozenset({"kind"})
    assert aspects_of(generator, kinds, chosen, allowed=alone, n_features=2) == alone
