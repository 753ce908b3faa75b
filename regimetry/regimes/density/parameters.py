"""The free numbers of a density: which there are, where they begin, and what is likely beforehand.

They are drawn together by weak priors in units of training: a logarithm of each scale, log odds of
each memory and of staying.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from regimetry.regimes.evidence.em import STAY_LIMITS
from regimetry.regimes.evidence.emission import Emission
from regimetry.runtime.density import Array, RowDensity

LEAST_FREEDOM, MOST_FREEDOM = 2.1, 60.0
"""Of the tails: below 2 there is no variance, above 60 it is the normal distribution."""

_FAR = 15.0  # deviations of a prior, beyond which a number counts as this far
_FREE = ("intercepts", "slopes", "factors", "stay")  # no exponentials, and one with bounds

_SHOCK, _MEMORY, _FALL_MEMORY = 0.05, 0.88, 0.8  # of scales that begin to move


class Field(NamedTuple):
    """Numbers of one kind: their shape, mean and deviation of their prior, and a step of one.

    A step is about the standard error on a few thousand rows: L-BFGS needs fewer rounds where
    steps matter about alike.
    """

    shape: tuple[int, ...]
    mean: float
    deviation: float
    unit: float

    @property
    def size(self) -> int:
        """How many they are."""
        return int(np.prod(self.shape))


@dataclass(frozen=True)
class Layout:
    """Which parameters are free, and where they stand in a vector.

    Attributes
    ----------
    n_regimes, n_channels, width : int
        K, C and 1 + P C.
    prices : ndarray of bool, shape (C,)
        Channels with leverage: returns of a price.
    chain : float or None
        Log odds of staying that a prior expects; ``None`` where the weights of the regimes are
        given.
    """

    n_regimes: int
    n_channels: int
    width: int
    prices: NDArray[np.bool_]
    chain: float | None

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The fields of the vector."""
        k, c, d = self.n_regimes, self.n_channels, self.width
        fields = {
            "intercepts": Field((k, 1, c), 0.0, 0.3, 0.03),
            "slopes": Field((k, d - 1, c), 0.0, 0.5, 0.03),
            "levels": Field((k, c), 0.0, 2.0, 0.05),
            "factors": Field((k, c * (c - 1) // 2), 0.0, 1.0, 0.03),
            "freedom": Field((k,), 1.8, 1.0, 0.3),
            "skew": Field((c,), 0.0, 0.3, 0.03),
            "shock": Field((k,), -3.0, 1.5, 0.4),
            "memory": Field((k,), 3.0, 1.5, 0.4),
        }
        if self.prices.any():
            fields["leverage"] = Field((k,), -3.0, 1.5, 0.4)
            fields["fall_memory"] = Field((k,), 1.5, 1.5, 0.4)
        if self.chain is not None and k > 1:
            fields["stay"] = Field((1,), self.chain, 0.3, 0.3)
        return fields

    @cached_property
    def size(self) -> int:
        """Number of free parameters."""
        return sum(field.size for field in self.fields.values())

    @cached_property
    def units(self) -> Array:
        """Steps of the vector that matter about alike, one for each number."""
        return self._of_each("unit")

    @cached_property
    def _expected(self) -> tuple[Array, Array]:
        """Mean and deviation of the prior of each number."""
        return self._of_each("mean"), self._of_each("deviation")

    @cached_property
    def _limits(self) -> tuple[Array, Array]:
        """Where the exponential of a number ends to be taken, or a step too far would overflow.

        The prior has no such limit, and pulls back from there.
        """
        mean, deviation = self._expected
        free = [np.full(field.size, name in _FREE) for name, field in self.fields.items()]
        far = np.where(np.concatenate(free), np.inf, _FAR * deviation)
        return mean - far, mean + far

    def _of_each(self, name: str) -> Array:
        fields = self.fields.values()
        return np.repeat([getattr(field, name) for field in fields], [f.size for f in fields])

    @property
    def bounds(self) -> list[tuple[float | None, float | None]]:
        """Limits of each number, in its steps: of staying alone."""
        limits: list[tuple[float | None, float | None]] = []
        for name, field in self.fields.items():
            low, high = (float(logit(one)) / field.unit for one in STAY_LIMITS)
            limits += [(low, high) if name == "stay" else (None, None)] * field.size
        return limits

    def unpack(self, vector: Array) -> dict[str, Array]:
        """Return the fields of a vector, as views."""
        parts, at = {}, 0
        for name, field in self.fields.items():
            parts[name] = vector[at : at + field.size].reshape(field.shape)
            at += field.size
        return parts

    def prior(self, vector: Array) -> tuple[float, Array]:
        """Return minus the log density of the prior, up to a constant, and its gradient."""
        mean, deviation = self._expected
        z = (vector - mean) / deviation
        return 0.5 * float(z @ z), z / deviation

    def density(self, vector: Array, begin: Array) -> tuple[RowDensity, float]:
        """Return the density of a vector and its probability of staying."""
        part, k, c = self.unpack(np.clip(vector, *self._limits)), self.n_regimes, self.n_channels
        factors = np.tile(np.eye(c), (k, 1, 1))
        factors[:, *np.tril_indices(c, -1)] = part["factors"]
        memory = expit(part["memory"])
        level = np.exp(2 * part["levels"])
        leverage = np.exp(part["leverage"]) if "leverage" in part else np.zeros(k)
        density = RowDensity(
            coefficients=np.concatenate([part["intercepts"], part["slopes"]], axis=1),
            factors=factors,
            omega=level * (1 - memory)[:, None],
            leverage=leverage[:, None] * self.prices,
            shock=np.exp(part["shock"]),
            memory=memory,
            fall_memory=expit(part["fall_memory"]) if "leverage" in part else np.zeros(k),
            freedom=LEAST_FREEDOM + np.exp(part["freedom"]),
            skew=np.exp(part["skew"]),
            begin=begin,
            typical=level,
        )
        stay = float(expit(part["stay"][0])) if "stay" in part else 0.5
        return density, stay

    def gradient(self, vector: Array, density: RowDensity, table: Array, skew: Array) -> Array:
        """Return what a gradient by the extension's table and skew is by the vector.

        That by intercepts, slopes and staying is not in them, and 0 here.
        """
        part, c = self.unpack(np.zeros(self.size)), self.n_channels
        omega, leverage = table[:, c * c : c * c + c], table[:, c * c + c : c * c + 2 * c]
        part["factors"][:] = table[:, : c * c].reshape(-1, c, c)[:, *np.tril_indices(c, -1)]
        part["levels"][:] = 2 * omega * density.omega
        part["freedom"][:] = table[:, -1] * (density.freedom - LEAST_FREEDOM)
        part["skew"][:] = skew * density.skew
        by_memory = table[:, -3] - np.sum(omega * density.typical, axis=1)
        part["shock"][:] = table[:, -4] * density.shock
        part["memory"][:] = by_memory * density.memory * (1 - density.memory)
        if "leverage" in part:
            part["leverage"][:] = np.sum(leverage * density.leverage, axis=1)
            kept = density.fall_memory
            part["fall_memory"][:] = table[:, -2] * kept * (1 - kept)
        inside = vector == np.clip(vector, *self._limits)
        return np.concatenate([one.ravel() for one in part.values()]) * inside


def start(layout: Layout, emission: Emission, stay: float) -> Array:
    """Return the vector of an emission, whose scales are constant and begin to move slightly."""
    vector = np.zeros(layout.size)
    part, coefficients = layout.unpack(vector), emission.coefficients
    factors, deviation = emission.unit_factors
    part["intercepts"][:], part["slopes"][:] = coefficients[:, :1], coefficients[:, 1:]
    part["factors"][:] = factors[:, *np.tril_indices(layout.n_channels, -1)]
    nu = np.clip(emission.degrees_of_freedom, LEAST_FREEDOM + 0.1, MOST_FREEDOM)
    part["freedom"][:] = np.log(nu - LEAST_FREEDOM)
    part["shock"][:], part["memory"][:] = np.log(_SHOCK), logit(_MEMORY)
    fallen = 0.0
    if "leverage" in part:
        part["leverage"][:], part["fall_memory"][:] = np.log(_SHOCK), logit(_FALL_MEMORY)
        fallen = _SHOCK / 2 / (1 - _FALL_MEMORY)  # a fall is every second row
    share = (1 - fallen) * (1 - _SHOCK / (1 - _MEMORY))
    part["levels"][:] = np.log(deviation) + 0.5 * np.log(share)
    if "stay" in part:
        part["stay"][:] = logit(stay)
    return vector
