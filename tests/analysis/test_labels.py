import numpy as np

from regimetry.analysis import spells_of, transition_matrix


def test_spells_are_cut_at_changes_and_missing_labels():
    spells = spells_of(np.array([-1, -1, 0, 0, 1, -1, 1, 1, 0]))
    assert spells.start.tolist() == [2, 4, 6, 8]
    assert spells.length.tolist() == [2, 1, 2, 1]
    assert spells.regime.tolist() == [0, 1, 1, 0]


def test_no_labels_make_no_spells():
    assert len(spells_of(np.array([], dtype=int)).start) == 0
    assert len(spells_of(np.array([-1, -1])).start) == 0


def test_transitions_skip_missing_labels():
    matrix = transition_matrix(np.array([-1, 0, 0, 1, -1, 0, 1, 1]), 3)
    np.testing.assert_allclose(matrix, [[1 / 3, 2 / 3, 0], [0, 1, 0], [0, 0, 1]])
