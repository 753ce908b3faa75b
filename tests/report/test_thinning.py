"""Thinning loses no extreme, no spell and no probability."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from regimetry.analysis import spells_of
from regimetry.report.thinning import (
    bucket_means,
    bucket_starts,
    drawn_spells,
    extreme_rows,
    thinned_rows,
)

floats = st.floats(-1e6, 1e6) | st.just(np.nan)
series = hnp.arrays(np.float64, st.integers(1, 400), elements=floats)
buckets = st.integers(1, 60)


def parts(values, n):
    return np.split(values, bucket_starts(len(values), n)[1:])


@given(series, buckets)
def test_every_bucket_keeps_its_extremes(values, n):
    rows = extreme_rows(values, n)
    assert (np.diff(rows) > 0).all()
    assert rows[0] == 0
    assert rows[-1] == len(values) - 1
    assert len(rows) <= max(2 * n + 2, 1)
    edges = np.append(bucket_starts(len(values), n), len(values))
    for low, high in pairwise(edges):
        bucket, kept = values[low:high], values[rows[(rows >= low) & (rows < high)]]
        assert len(kept)
        if np.isnan(bucket).all():
            assert np.isnan(kept).all()
        else:
            assert np.nanmin(kept) == np.nanmin(bucket)
            assert np.nanmax(kept) == np.nanmax(bucket)


def test_a_lone_peak_survives_and_spells_that_a_screen_shows_apart_stay_so():
    values = np.zeros(10_000)
    values[3333] = 7.0
    assert values[extreme_rows(values, 500)].max() == 7.0
    assert values[::10].max() == 0.0
    labels = np.array([0, 0, 1, 1, 1, 0, 1, 0])
    regime, first, last = drawn_spells(spells_of(labels), 8, 1000)
    assert len(regime) == 5
    assert sorted(zip(first.tolist(), last.tolist(), strict=True)) == [
        (0, 1), (2, 4), (5, 5), (6, 6), (7, 7),
    ]  # fmt: skip


@given(series, buckets)
def test_means_are_of_the_present_rows(values, n):
    rows, means = bucket_means(values[:, None], n)
    if len(values) <= n:
        np.testing.assert_array_equal(means[:, 0], values)
        return
    np.testing.assert_array_equal(rows, bucket_starts(len(values), n))
    for bucket, mean in zip(parts(values, n), means[:, 0], strict=True):
        present = bucket[~np.isnan(bucket)]
        if len(present):
            np.testing.assert_allclose(mean, present.mean(), rtol=1e-9, atol=1e-6)
        else:
            assert np.isnan(mean)


@given(hnp.arrays(np.int64, st.integers(1, 300), elements=st.integers(-1, 3)), buckets)
def test_every_spell_lies_in_a_stretch_that_is_drawn(labels, n):
    spells = spells_of(labels)
    regime, first, last = drawn_spells(spells, len(labels), n)
    for k, start, length in zip(spells.regime, spells.start, spells.length, strict=True):
        assert ((regime == k) & (first <= start) & (last >= start + length - 1)).sum() == 1
    # Joined only where less than a bucket lay between, and one regime's stretches never overlap.
    for k in np.unique(regime):
        gaps = first[regime == k][1:] - last[regime == k][:-1] - 1
        assert (gaps >= max(1, len(labels) // n)).all()


@given(hnp.arrays(np.int64, st.integers(1, 400), elements=st.integers(0, 5)), st.integers(1, 100))
def test_every_regime_keeps_a_row(labels, n):
    rows = thinned_rows(labels, n)
    assert (np.diff(rows) > 0).all()
    assert set(labels[rows]) == set(labels)
    assert len(rows) <= max(n, 1) + len(set(labels.tolist()))
