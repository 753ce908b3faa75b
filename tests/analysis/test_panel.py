"""Labels of many instruments: no transition between them, and counts by the bar."""

import json

import numpy as np
import pytest

from regimetry.analysis import analyse_labels, analyse_panel, comovement
from regimetry.errors import DataError

LABELS = {
    "a": np.array([-1, 0, 0, 1, 1, 1]),
    "b": np.array([-1, 1, 1, 0]),
    "short": np.array([-1, -1]),
}
TIMES = {
    "a": np.arange("2020-01-01", "2020-01-07", dtype="datetime64[D]"),
    "b": np.arange("2020-01-03", "2020-01-07", dtype="datetime64[D]"),
    "short": np.arange("2020-01-06", "2020-01-08", dtype="datetime64[D]"),
}


def test_pooled_counts_are_the_sum_of_each():
    found = analyse_panel(LABELS, 2)
    assert found.unlabelled == ("short",)
    each = [found.instruments[name].transitions.counts for name in ("a", "b")]
    np.testing.assert_array_equal(found.pooled.transitions.counts, sum(each))
    np.testing.assert_array_equal(each[0], analyse_labels(LABELS["a"], 2).transitions.counts)
    # Without the break the last bar of a would lead to the first of b.
    joined = {"a": np.array([0, 1]), "b": np.array([0, 0])}
    assert analyse_panel(joined, 2).pooled.transitions.counts[1].sum() == 0
    assert analyse_labels(np.concatenate(list(joined.values())), 2).transitions.counts[1, 0] == 1
    json.dumps(found.to_dict(), allow_nan=False)


def test_comovement_counts_every_instrument_once_a_bar():
    found = comovement(LABELS, TIMES, 2)
    assert len(found.times) == 7
    assert found.counts.tolist() == [[0, 0], [1, 0], [1, 0], [0, 2], [0, 2], [1, 1], [0, 0]]
    assert found.missing.tolist() == [1, 0, 1, 0, 0, 1, 1]
    assert found.share[5].tolist() == [0.5, 0.5]
    assert np.isnan(found.share[0]).all()
    assert found.concentration[[3, 5]].tolist() == [1.0, 0.5]
    assert json.loads(json.dumps(found.to_dict()))["times"][0] == "2020-01-01"


def test_what_does_not_fit_is_named():
    with pytest.raises(DataError, match="'b' has 4 labels and no times"):
        comovement(LABELS, {"a": TIMES["a"]}, 2)
    with pytest.raises(DataError, match="go up to 1; the model has 1 regime\\."):
        comovement(LABELS, TIMES, 1)
    with pytest.raises(DataError, match="None of 1 instruments"):
        analyse_panel({"short": LABELS["short"]}, 2)
