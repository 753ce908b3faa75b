"""The distribution function of the skewed t distribution; needs scipy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import InstallError
from regimetry.runtime.chain import Array


def skewed_cdf(u: Array, skew: float, freedom: NDArray[np.float64]) -> Array:
    """Return the probability of at most u (..., K), of one channel.

    Fernandez, Steel 1998: the t distribution with its upper half stretched by ``skew`` and its
    lower half by the inverse.

    Parameters
    ----------
    u : ndarray, shape (..., K)
    skew : float
        xi.
    freedom : ndarray, shape (K,)

    Raises
    ------
    InstallError
        Without scipy, of the extra ``fit``.
    """
    try:
        from scipy.stats import t as student
    except ImportError as error:
        raise InstallError(
            "Exact quantiles and distribution functions need scipy: pip install 'regimetry[fit]'. "
            "Draws of the next rows need nothing: forecast(...).draws."
        ) from error
    low = 2 / (1 + skew**2) * student.cdf(np.minimum(u, 0.0) * skew, freedom)
    high = student.cdf(np.maximum(u, 0.0) / skew, freedom) - 0.5
    return np.asarray(low + 2 * skew**2 / (1 + skew**2) * high)
