import numpy as np
import pytest

from regimetry.encoder.positions import sinusoidal_table


def test_interleaved_puts_sines_on_even_columns():
    table = sinusoidal_table(7, 6, "interleaved")
    for t in range(7):
        for column in range(6):
            angle = t / 10000 ** (2 * (column // 2) / 6)
            expected = np.sin(angle) if column % 2 == 0 else np.cos(angle)
            assert table[t, column] == pytest.approx(expected, abs=1e-6)


def test_stacked_holds_the_same_columns_in_another_order():
    interleaved, stacked = (sinusoidal_table(5, 8, s) for s in ("interleaved", "stacked"))
    np.testing.assert_array_equal(stacked, interleaved[:, [0, 2, 4, 6, 1, 3, 5, 7]])


def test_an_odd_stacked_table_is_the_even_one_less_its_last_column():
    np.testing.assert_array_equal(
        sinusoidal_table(4, 5, "stacked"), sinusoidal_table(4, 6, "stacked")[:, :5]
    )
    assert sinusoidal_table(4, 5, "interleaved").shape == (4, 5)
