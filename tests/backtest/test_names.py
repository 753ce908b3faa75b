"""Names go from refit to refit by the bars that both have seen."""

import numpy as np

from regimetry.backtest.names import named
from regimetry.backtest.refit import Refit
from regimetry.backtest.summary import stability


def refit_of(labels, n_regimes):
    names = np.array([f"regime_{k}" for k in range(n_regimes)])
    labels = np.array(labels)
    return Refit(labels, np.eye(n_regimes)[labels], np.zeros((len(labels), 3)), names, 10, 0.0)


def test_numbers_that_swap_keep_their_names_and_new_ones_are_born():
    first = refit_of([0] * 10 + [1] * 10, 2)
    swapped = refit_of([1] * 5 + [0] * 10 + [0] * 5, 2)
    third = refit_of([0] * 10 + [1] * 5 + [2] * 5, 3)
    rows = [np.arange(20), np.arange(5, 25), np.arange(10, 30)]
    found = named([first, swapped, third], rows)
    assert found[0].names == ("regime_0", "regime_1")
    assert found[1].names == ("regime_1", "regime_0")
    assert (found[1].kept, found[1].born) == (1.0, 0)
    assert found[2].names == ("regime_1", "regime_2", "regime_3")
    assert (found[2].kept, found[2].born) == (10 / 15, 2)
    told = stability(found)
    assert (told.kept, told.lowest, told.born) == ((1 + 10 / 15) / 2, 10 / 15, 2)


def test_one_refit_has_no_stability():
    found = stability(named([refit_of([0, 1], 2)], [np.arange(2)]))
    assert np.isnan(found.kept)
    assert found.born == 0
