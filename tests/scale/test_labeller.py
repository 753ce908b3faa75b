from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import regimetry as rg
from regimetry.errors import DataError
from regimetry.runtime.labelling import MISSING
from regimetry.scale import Labeller
from regimetry.series.scaling import InstrumentScaling

R = 11


def in_chunks(labeller, names, which, values, cuts):
    """Push the rows in chunks; return the results of all of them."""
    bounds = [0, *sorted(cuts), len(which)]
    parts = [
        labeller.push(names, which[first:end], values[first:end]) for first, end in pairwise(bounds)
    ]
    return [
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("regime", "probability", "novelty", "novel")
    ]


def one_by_one(model, which, values):
    """The slow twin: each instrument's whole history through ``model.label``."""
    n, k = len(which), model.contract.n_regimes
    regime, probability = np.full(n, MISSING), np.full((n, k), np.nan)
    novelty, novel = np.full(n, np.nan, np.float32), np.zeros(n, bool)
    for number in np.unique(which):
        mine = which == number
        if mine.sum() >= R:
            found = model.label(values[mine])
            regime[mine], probability[mine] = found.regime, found.probability
            novelty[mine], novel[mine] = found.novelty, found.novel
    return [regime, probability, novelty, novel]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_chunks_of_any_interleaving_are_labelled_as_whole_instruments(single, values, data):
    lengths = data.draw(st.lists(st.integers(0, 90), min_size=1, max_size=6))
    which = np.repeat(np.arange(len(lengths)), lengths)
    seed = data.draw(st.integers(0, 2**32 - 1))
    shuffled = data.draw(st.booleans())
    if shuffled:
        np.random.default_rng(seed).shuffle(which)
    rows = np.random.default_rng(seed).integers(0, len(values), len(which))
    if not shuffled:  # stretches of the real series rather than rows at random
        rows = np.arange(len(which)) % len(values)
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    given_values = values[rows].astype(dtype)
    cuts = data.draw(st.lists(st.integers(0, len(which)), max_size=8))
    names = [f"I{number}" for number in range(len(lengths))]
    found = in_chunks(Labeller(single), names, which, given_values, cuts)
    np.testing.assert_equal(found, one_by_one(single, which, given_values))


def test_single_rows_many_instruments_and_threads_change_nothing(single, values, model_path):
    which = np.tile(np.arange(40), 15)
    rows = np.random.default_rng(1).integers(0, len(values), len(which))
    names = [str(number) for number in range(40)]
    found = in_chunks(Labeller(single), names, which, values[rows], range(1, 300))
    np.testing.assert_equal(found, one_by_one(single, which, values[rows]))
    many = rg.load(model_path, device="cpu", threads=3)
    which = np.arange(600) % 4
    found = in_chunks(Labeller(many), "abcd", which, values[:600], [100, 350])
    expected = in_chunks(Labeller(single), "abcd", which, values[:600], [])
    np.testing.assert_equal(found, expected)


def test_the_comparison_can_fail(single, values):
    which = np.arange(200) % 2
    expected = one_by_one(single, which, values[:200])
    labeller = Labeller(single)
    labeller.push("ab", which[:100], values[:100])
    labeller._carried.means[:] += 1e-6
    labeller._carried._tails[:] *= 1 + 1e-3
    later = labeller.push("ab", which[100:], values[100:200])
    assert not np.array_equal(later.novelty, expected[2][100:])
    labeller = Labeller(single)
    labeller.push("ab", which[:100], values[:100])
    labeller._carried.costs[:] = 0
    later = labeller.push("ab", which[100:], values[100:200])
    assert not np.array_equal(later.probability, expected[1][100:])


@pytest.mark.parametrize("n_rows", [1, 7, 64, 200])
def test_each_instrument_is_read_in_its_own_units(model_path, values, n_rows):
    model = rg.load(model_path, device="cpu", threads=1)
    generator = np.random.default_rng(0)
    scaling = InstrumentScaling(
        model.contract.transforms,
        ("a", "b"),
        generator.uniform(0.5, 2, (2, 4)),
        generator.uniform(-1, 1, (2, 4)),
    )
    model._file.contract = replace(model.contract, by="symbol", scaling=scaling)
    assert "log_difference" in scaling.transforms
    which = generator.integers(0, 3, 600)
    found = in_chunks(Labeller(model), "abc", which, values[:600], range(n_rows, 600, n_rows))
    for number, name in enumerate("abc"):
        mine = which == number
        expected = model.label({name: values[:600][mine]})
        np.testing.assert_array_equal(found[0][mine], expected.regime[name])
        np.testing.assert_array_equal(found[1][mine], expected.probability[name])
        np.testing.assert_array_equal(found[2][mine], expected.novelty[name])
    plain = Labeller(rg.load(model_path, device="cpu")).push("abc", which, values[:600])
    assert not np.array_equal(plain.novelty[which == 0], found[2][which == 0])
    np.testing.assert_array_equal(plain.novelty[which == 2], found[2][which == 2])


def test_names_may_move_and_rows_may_be_missing(single, values):
    expected = single.label(values[:50])
    labeller = Labeller(single)
    labeller.push(["a", "b"], np.zeros(30, int), values[:30])
    later = labeller.push(["c", "a"], np.ones(20, int), values[30:50])
    np.testing.assert_array_equal(later.probability, expected.probability[30:])
    empty = labeller.push([], np.empty(0, int), np.empty((0, 4)))
    assert empty.probability.shape == (0, 3)
    assert labeller.counts == {"a": 50}


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_a_bad_value_is_named_with_its_instrument(single, values, bad):
    labeller, rows = Labeller(single), values[:40].copy()
    labeller.push(["b"], np.zeros(20, int), values[:20])
    rows[17, 3] = bad
    with pytest.raises(DataError, match=rf"Row 28 of instrument 'b', column 'x3' holds {bad}"):
        labeller.push(["a", "b"], np.arange(40) % 2, rows)
