import numpy as np
import pytest
from encoders import FAST

import regimetry as rg
from regimetry.errors import DataError
from regimetry.regimes import memory
from regimetry.regimes.clustering import slow
from regimetry.regimes.clustering.head import fit_head
from regimetry.regimes.clustering.slow import by_block, fit_slow_directions
from regimetry.regimes.memory import GIB, available_bytes, block_rows, fit_bytes, require_memory


def test_blocks_change_nothing(monkeypatch):
    values = np.random.default_rng(0).standard_normal((500, 12)).astype(np.float32)
    whole = fit_slow_directions(values, 5)
    outputs = fit_head(values, values[:, 0], n_regimes=2, lag=5, n_landmarks=100).outputs(values)
    monkeypatch.setattr(memory, "BLOCK_ENTRIES", 1000)
    assert block_rows(100) == 10
    parts = fit_slow_directions(values, 5)
    np.testing.assert_allclose(parts.autocorrelation, whole.autocorrelation, atol=1e-12)
    np.testing.assert_allclose(parts.whiten(values), whole.whiten(values), atol=1e-9)
    again = fit_head(values, values[:, 0], n_regimes=2, lag=5, n_landmarks=100).outputs(values)
    for name, expected in outputs.items():
        np.testing.assert_allclose(again[name], expected, atol=1e-7)


def test_whitening_is_that_of_the_whole_matrix():
    values = np.random.default_rng(1).standard_normal((400, 6)) @ np.diag([5, 1, 1, 1, 1, 0.1])
    values += 1e3
    white = fit_slow_directions(values, 3).whiten(values)
    np.testing.assert_allclose(np.cov(white.T, bias=True), np.eye(white.shape[1]), atol=1e-8)
    assert by_block(lambda part: part, values, 6).shape == (400, 6)


def test_memory_grows_with_windows_and_with_the_square_of_landmarks():
    assert fit_bytes(500_000, 192, 1000) < 4 * GIB
    step = fit_bytes(200_000, 192, 1000) - fit_bytes(100_000, 192, 1000)
    assert fit_bytes(300_000, 192, 1000) - fit_bytes(200_000, 192, 1000) == step
    assert fit_bytes(10**6, 192, 40_000) > 4 * 8 * 40_000**2
    assert fit_bytes(500, 8, 10**9) == fit_bytes(500, 8, 500)


def test_a_fit_that_memory_does_not_hold_is_refused_before_it_starts():
    with pytest.raises(DataError, match=r"40000 landmarks needs \d+\.\d\d GiB; 4\.00 GiB are") as e:
        require_memory(500_000, 192, 40_000, available=4 * GIB)
    fits = int(str(e.value).split("n_landmarks to ")[1].split()[0])
    require_memory(500_000, 192, fits, available=4 * GIB)
    with pytest.raises(DataError, match="Give fewer rows"):
        require_memory(50_000_000, 192, 1000, available=4 * GIB)
    require_memory(500_000, 192, 1000, available=4 * GIB)


def test_the_estimator_asks_for_memory(monkeypatch):
    values = rg.simulate("s2", n_rows=400, seed=0).values
    monkeypatch.setattr(memory, "available_bytes", lambda: 1 << 20)
    with pytest.raises(DataError, match="391 windows with 391 landmarks needs"):
        rg.RegimeDetector(window_size=10, n_regimes=2, encoder=FAST, random_state=0).fit(values)


def test_what_the_machine_has_left_is_known_here():
    found = available_bytes()
    assert found is None or 0 < found < 1 << 50


def test_slow_directions_take_no_copy_of_all_embeddings_in_float64(monkeypatch):
    import tracemalloc

    values = np.random.default_rng(0).standard_normal((40_000, 64)).astype(np.float32)
    monkeypatch.setattr(memory, "BLOCK_ENTRIES", 1 << 16)
    tracemalloc.start()
    slow.fit_slow_directions(values, 10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # White coordinates (N, 32) and their parts; a float64 copy would be as much again on its own.
    assert peak < 3 * 8 * 32 * len(values)
