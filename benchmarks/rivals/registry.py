"""All methods by name."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from benchmarks.rivals.fitted import Fit


@dataclass(frozen=True)
class Method:
    """A method of the benchmark.

    Attributes
    ----------
    title : str
        In tables.
    function : str
        ``module:function`` under :mod:`benchmarks.rivals`; loaded when it is run.
    chooses : bool
        It can choose K, one regime included.
    kinds : tuple of str or None
        Simulators that it exists for; ``None``: all.
    packages : tuple of str
        Distributions that it computes with; a result is of their versions.
    """

    title: str
    function: str
    chooses: bool = False
    kinds: tuple[str, ...] | None = None
    packages: tuple[str, ...] = ("numpy", "scikit-learn")

    def load(self) -> Fit:
        """Import the method."""
        module, _, function = self.function.partition(":")
        return getattr(import_module(f"benchmarks.rivals.{module}"), function)


METHODS: dict[str, Method] = {
    "detector": Method(
        "regimetry, default",
        "detector:fit",
        chooses=True,
        packages=("numpy", "scikit-learn", "tensorflow", "keras"),
    ),
    "vamp2": Method(
        "regimetry, trained by VAMP-2",
        "head:fit_vamp2",
        chooses=True,
        packages=("numpy", "scikit-learn", "tensorflow", "keras"),
    ),
    "windows": Method(
        "regimetry, evidence of windows alone",
        "head:fit_windows",
        chooses=True,
        packages=("numpy", "scikit-learn", "tensorflow", "keras"),
    ),
    "statistics": Method("window statistics + head", "head:fit_statistics", chooses=True),
    "jump": Method(
        "jump model (jumpmodels)", "jump:fit", packages=("numpy", "jumpmodels", "scikit-learn")
    ),
    "hmm": Method(
        "Gaussian HMM (hmmlearn)",
        "hmm:fit",
        chooses=True,
        packages=("numpy", "hmmlearn", "scikit-learn"),
    ),
    "spectral": Method(
        "untrained encoder, mean pool, median RBF",
        "plain_spectral:fit",
        packages=("numpy", "scikit-learn", "tensorflow", "keras"),
    ),
    "kmeans": Method("k-means on raw windows", "kmeans:fit"),
    "features": Method("hand features + k-means", "features:fit", kinds=()),
    "oracle": Method(
        "true model (ceiling)",
        "oracle:fit",
        kinds=("s1", "s2", "s3", "s4", "n1", "n2", "h3", "h3-2000"),
    ),
}
