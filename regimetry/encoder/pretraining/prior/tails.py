"""The aspect ``tails``: regimes whose noise has another distribution, of mean 0 and variance 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, log_uniform, pick, pick_laws
from regimetry.encoder.pretraining.prior.drawn import Values
from regimetry.encoder.pretraining.prior.path import Path

_FAMILIES = {
    "normal": 0.35,
    "student": 0.2,
    "laplace": 0.12,
    "skewed": 0.14,
    "uniform": 0.1,
    "two_point": 0.09,
}
_FIXED = {"normal", "laplace", "uniform", "two_point"}


@dataclass(frozen=True)
class Tails:
    """A distribution of noise.

    Attributes
    ----------
    family : str
    shape : float
        Degrees of freedom of Student's t, shape of the gamma law; else not used.
    sign : float
        1 or -1: where the long tail of a skewed law lies.
    common : bool
        Whether the large values of Student's t come to all channels at once.
    """

    family: str = "normal"
    shape: float = 0.0
    sign: float = 1.0
    common: bool = False


NORMAL = Tails()


def draw_tails(generator: np.random.Generator, n_laws: int) -> list[Tails]:
    """Return laws of noise; two or more are not all of one family."""
    families = pick_laws(generator, _FAMILIES, n_laws, _FIXED)
    if n_laws > 1 and len(set(families)) == 1:
        others = {name: share for name, share in _FAMILIES.items() if name != families[0]}
        families[int(generator.integers(n_laws))] = pick(generator, others)
    return [_draw(generator, family) for family in families]


def _draw(generator: np.random.Generator, family: str) -> Tails:
    shape = 0.0
    if family == "student":
        shape = generator.uniform(2.5, 8.0)
    if family == "skewed":
        shape = log_uniform(generator, 0.5, 8.0)
    sign = 1.0 if happens(generator, 0.5) else -1.0
    return Tails(family, shape, sign, happens(generator, 0.5))


def draw_noise(generator: np.random.Generator, law: Tails, n_rows: int, n_features: int) -> Values:
    """Return independent noise (T, F) of a law."""
    size = (n_rows, n_features)
    if law.family == "student":
        scale = generator.standard_gamma(law.shape / 2, (n_rows, 1 if law.common else n_features))
        # Standard deviation 1: sqrt((nu - 2) / nu) / sqrt(2 gamma / nu).
        return generator.standard_normal(size) * np.sqrt((law.shape / 2 - 1.0) / scale)
    if law.family == "laplace":
        return generator.laplace(0.0, np.sqrt(0.5), size)
    if law.family == "skewed":
        gamma = generator.standard_gamma(law.shape, size)
        return law.sign * (gamma - law.shape) / np.sqrt(law.shape)
    if law.family == "uniform":
        return generator.uniform(-np.sqrt(3.0), np.sqrt(3.0), size)
    if law.family == "two_point":
        points = 2.0 * generator.integers(0, 2, size) - 1.0
        return (points + 0.3 * generator.standard_normal(size)) / np.sqrt(1.09)
    return generator.standard_normal(size)


def draw_noises(
    generator: np.random.Generator,
    laws: list[Tails],
    path: Path,
    n_features: int,
) -> Values:
    """Return noise (T, F) with the law of the state of each row; one law holds for all."""
    n_rows = len(path.states)
    if len(laws) == 1:
        return draw_noise(generator, laws[0], n_rows, n_features)
    noise = np.empty((n_rows, n_features))
    for law, inside in zip(laws, path.rows, strict=True):
        noise[inside] = draw_noise(generator, law, len(inside), n_features)
    return noise
