"""Market regimes without labels: windows, a Transformer encoder, spectral clustering, ONNX.

Names resolve when first used, so that ``import regimetry`` costs nothing and production never
loads what only research needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regimetry.contract import ModelContract
    from regimetry.detector import RegimeDetector
    from regimetry.encoder.config import EncoderConfig
    from regimetry.errors import RegimetryError
    from regimetry.runtime.bank import RegimeBank
    from regimetry.runtime.model import RegimeModel, load
    from regimetry.runtime.stream import Stream, Tick
    from regimetry.series.simulators import simulate
    from regimetry.windows import rolling_windows

__all__ = [
    "EncoderConfig",
    "ModelContract",
    "RegimeBank",
    "RegimeDetector",
    "RegimeModel",
    "RegimetryError",
    "Stream",
    "Tick",
    "__version__",
    "load",
    "rolling_windows",
    "simulate",
]

_HOME = {
    "EncoderConfig": "regimetry.encoder.config",
    "ModelContract": "regimetry.contract",
    "RegimeDetector": "regimetry.detector",
    "RegimeBank": "regimetry.runtime.bank",
    "RegimeModel": "regimetry.runtime.model",
    "RegimetryError": "regimetry.errors",
    "Stream": "regimetry.runtime.stream",
    "Tick": "regimetry.runtime.stream",
    "load": "regimetry.runtime.model",
    "rolling_windows": "regimetry.windows",
    "simulate": "regimetry.series.simulators",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("regimetry")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        from regimetry.errors import InstallError

        if error.name != "regimetry._core":
            raise InstallError(
                f"{name} needs {error.name}, which is not installed. Run: pip install "
                "'regimetry[fit]'."
            ) from error
        raise InstallError(
            f"The extension regimetry._core is not built in {__path__[0]}. If that is a checkout, "
            "run Python from another folder, or build in place: pip install -e '.[cpu]'."
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
