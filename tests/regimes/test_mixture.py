"""The mixture against scikit-learn's, from the same start."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from regimetry.regimes.mixture import fit_mixture


def points(n=800, size=4, seed=0):
    generator = np.random.default_rng(seed)
    middle = 1.5 * generator.standard_normal((3, size))[generator.integers(3, size=n)]
    values = middle + generator.standard_normal((n, size)) @ generator.standard_normal((size, size))
    return (values - values.mean(axis=0)) / values.std(axis=0)


@pytest.mark.parametrize(("count", "size"), [(1, 1), (3, 4), (6, 2), (6, 12)])
def test_it_is_that_of_scikit_learn(count, size):
    values = points(size=size)
    found = fit_mixture(values, count, ridge=0.02, seed=3)
    expected = GaussianMixture(count, reg_covar=0.02, random_state=3).fit(values)
    np.testing.assert_allclose(found.weights, expected.weights_, rtol=1e-7)
    np.testing.assert_allclose(found.means, expected.means_, atol=1e-7)
    np.testing.assert_allclose(found.roots, expected.precisions_cholesky_, atol=1e-7)
    other = GaussianMixture(count, reg_covar=0.05, random_state=3).fit(values)
    assert np.abs(found.roots - other.precisions_cholesky_).max() > 1e-3


def test_components_on_copies_of_one_point_keep_the_ridge():
    values = np.repeat([[-1.0, 0.5], [1.0, -0.5]], 40, axis=0)
    found = fit_mixture(values, 2, ridge=0.02, seed=0)
    np.testing.assert_allclose(found.roots, np.eye(2)[None].repeat(2, 0) / 0.02**0.5, rtol=1e-6)
