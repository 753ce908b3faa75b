"""How long the blocks of a bootstrap must be, computed from the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Floats


def block_length(series: NDArray[np.floating]) -> float:
    """Return the mean block length of the stationary bootstrap for a series' mean.

    The rule of Politis and White (2004) with the correction of Patton, Politis and White (2009):
    ``(G^2 / g^2)^(1/3) * N^(1/3)``, where G and g are flat-top sums of ``|k| R(k)`` and ``R(k)``
    over autocovariances, cut at twice the lag behind which correlations are insignificant.

    Parameters
    ----------
    series : ndarray of float, shape (N,)
        Finite.

    Returns
    -------
    float
        Bars, 1 to N / 3; 1 for a constant series.
    """
    x = np.asarray(series, dtype=np.float64)
    n = len(x)
    x = x - x.mean()
    if n < 8 or not x.any():
        return 1.0
    window = max(5, int(np.ceil(np.log10(n))))
    most = min(int(np.ceil(np.sqrt(n))) + window, n - 1)
    covariance = _autocovariance(x, most)
    bound = 2.0 * np.sqrt(np.log10(n) / n)
    small = np.abs(covariance[1:] / covariance[0]) < bound
    runs = np.convolve(small, np.ones(window), mode="valid") == window
    last = int(np.argmax(runs) if runs.any() else np.flatnonzero(~small)[-1] + 1)
    cut = min(2 * max(last, 1), most)
    lags = np.arange(cut + 1)
    weights = np.minimum(1.0, 2.0 * (1.0 - lags / cut)) * covariance[: cut + 1]
    spectrum = weights[0] + 2.0 * weights[1:].sum()
    slope = 2.0 * (lags * weights).sum()
    if not spectrum > 0:
        return 1.0
    return float(np.clip((slope**2 / spectrum**2 * n) ** (1 / 3), 1.0, n / 3))


def _autocovariance(x: Floats, lags: int) -> Floats:
    """Autocovariances at lags 0 to ``lags`` by FFT, divided by N."""
    size = 1 << int(np.ceil(np.log2(len(x) + lags + 1)))
    power = np.abs(np.fft.rfft(x, size)) ** 2
    return np.fft.irfft(power, size)[: lags + 1] / len(x)
