import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regimetry.analysis import spells_of, transition_matrix
from regimetry.analysis.labels import require_labels
from regimetry.analysis.transitions import transition_counts
from regimetry.errors import DataError

label_lists = st.lists(st.integers(-1, 3), max_size=40)


def slow_spells(labels, breaks):
    """Spells by walking along the bars."""
    rows = []
    for t, label in enumerate(labels):
        joined = t > 0 and labels[t - 1] >= 0 and label >= 0 and not breaks[t]
        if joined and labels[t - 1] != label:
            rows[-1][4] = True
        if label < 0:
            continue
        if joined and labels[t - 1] == label:
            rows[-1][1] += 1
        else:
            rows.append([t, 1, label, joined, False])
    return rows


def slow_counts(labels, breaks, k):
    counts = np.zeros((k, k), dtype=int)
    for t in range(1, len(labels)):
        if labels[t] >= 0 and labels[t - 1] >= 0 and not breaks[t]:
            counts[labels[t - 1], labels[t]] += 1
    return counts


def test_transitions_skip_missing_labels_and_breaks_are_one_a_bar():
    matrix = transition_matrix(np.array([-1, 0, 0, 1, -1, 0, 1, 1]), 3)
    np.testing.assert_allclose(matrix, [[1 / 3, 2 / 3, 0], [0, 1, 0], [0, 0, 1]])
    with pytest.raises(DataError, match="one truth value per bar"):
        spells_of(np.array([0, 1, 1, 0]), np.zeros(3, dtype=bool))


@given(label_lists, st.data())
def test_spells_and_counts_are_those_of_a_walk(values, data):
    labels = np.array(values, dtype=int)
    breaks = np.array(data.draw(st.lists(st.booleans(), min_size=len(values),
                                         max_size=len(values))), dtype=bool)  # fmt: skip
    found = [list(row) for row in zip(*spells_of(labels, breaks), strict=True)]
    assert found == slow_spells(labels, breaks)
    np.testing.assert_array_equal(
        transition_counts(labels, 4, breaks), slow_counts(labels, breaks, 4)
    )


def test_labels_that_cannot_be_read_are_refused():
    for labels, message in (
        (
            np.array([0, 1, 4]),
            "go up to 4; the model has 3 regimes, 0 to 2. They come from another model",
        ),
        (np.array([-1, -1]), "missing in all of 2 bars"),
        (np.array([], dtype=int), "missing in all of 0 bars"),
        (np.array([0.0, 1.0]), "one integer per bar"),
        (np.array([[0, 1]]), r"shape \(1, 2\)"),
    ):
        with pytest.raises(DataError, match=message):
            require_labels(labels, 3)
