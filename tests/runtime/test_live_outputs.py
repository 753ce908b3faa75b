"""Streams and banks that say what they want of a bar."""

from itertools import combinations

import numpy as np
import pytest

from regimetry.contract import OUTPUT_NAMES
from regimetry.errors import ConfigError

SETS = [names for count in range(5) for names in combinations(OUTPUT_NAMES, count)]


@pytest.fixture(params=["detector", "bar_detector"])
def fitted(request):
    return request.getfixturevalue(request.param).model_


@pytest.mark.parametrize("outputs", SETS, ids=" ".join)
def test_what_is_asked_for_is_bit_by_bit_what_all_outputs_give(fitted, values, outputs):
    whole, stream = fitted.stream(outputs=OUTPUT_NAMES), fitted.stream(outputs=outputs)
    every, bank = (fitted.bank(2, outputs=names) for names in (OUTPUT_NAMES, outputs))
    for row in values[:40]:
        pairs = (
            (whole.push(row), stream.push(row)),
            (
                every.push([0, 1], [row, row]),
                bank.push([0, 1], [row, row]),
            ),
        )
        for expected, found in pairs:
            if expected is None:
                assert found is None
                continue
            kept = {"ids", "regime", "name", "probability", "row", *outputs} - {"distance"}
            kept |= {"novel"} if "novelty" in outputs else set()
            for name in found._fields:
                if name in kept:
                    np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
                else:
                    assert getattr(found, name) is None


def test_regime_and_novelty_are_the_default(model, values):
    stream, bank = model.stream(), model.bank(1)
    for row in values[:20]:
        tick, ticks = stream.push(row), bank.push([0], [row])
    assert isinstance(tick.novelty, float)
    assert isinstance(tick.novel, bool)
    assert ticks.novelty.shape == ticks.novel.shape == (1,)
    assert tick.embedding is None
    assert ticks.embedding is None


def test_one_name_needs_no_list(model, values):
    stream = model.stream(outputs="embedding")
    for row in values[:20]:
        tick = stream.push(row)
    assert tick.embedding.shape == (model.contract.embedding_size,)


@pytest.mark.parametrize("outputs", [["labels"], ["regime", "labels"], "labels"])
def test_an_output_that_does_not_exist(model, outputs):
    for start in (model.stream, lambda **given: model.bank(1, **given)):
        with pytest.raises(ConfigError, match=r"outputs is 'labels'.*'embedding', 'distance'"):
            start(outputs=outputs)


@pytest.mark.parametrize("kind", ["stream", "bank"])
def test_a_snapshot_is_restored_with_other_outputs(fitted, values, kind):
    def start(*outputs):
        if kind == "stream":
            live = fitted.stream(outputs=outputs)
            return live, live.push
        live = fitted.bank(1, outputs=outputs)
        return live, lambda row: live.push([0], row[None])

    (whole, push), (regime, push_regime) = start("novelty"), start()
    for row in values[:30]:
        push(row)
        push_regime(row)
    # Labels go on either way, and the mean of novelty where the snapshot has one.
    (less, push_less), (more, push_more), (same, push_same) = (
        start(),
        start("novelty"),
        start("novelty"),
    )
    less.restore(whole.snapshot())
    more.restore(regime.snapshot())
    same.restore(whole.snapshot())
    for number, row in enumerate(values[30:50]):
        expected, found = push(row), push_more(row)
        for tick in (push_less(row), found, push_same(row)):
            np.testing.assert_array_equal(tick.regime, expected.regime)
            np.testing.assert_array_equal(tick.probability, expected.probability)
        np.testing.assert_array_equal(found.novelty, expected.novelty)
        if number == 0:  # of a snapshot without novelty, the mean begins with the next bar
            np.testing.assert_array_equal(more.snapshot()["novelty"], np.float64(found.novelty))
    np.testing.assert_array_equal(same.snapshot()["novelty"], whole.snapshot()["novelty"])
    assert np.isnan(less.snapshot()["novelty"]).all()
