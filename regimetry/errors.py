"""What can go wrong, one class a kind.

Each message states what was found, what was expected and the remedy.
"""

from __future__ import annotations


class RegimetryError(Exception):
    """Base of every error that regimetry raises on purpose."""


class ConfigError(RegimetryError, ValueError):
    """A setting has a value that is not allowed; the message names field, value and choices."""


class DataError(RegimetryError, ValueError):
    """The data cannot be used as they are; the message names rows and columns."""


class ModelError(RegimetryError, ValueError):
    """A model file is missing, damaged, from elsewhere or of an unreadable format version."""


class DeviceError(RegimetryError, RuntimeError):
    """The device that was asked for did not load; the message names what is there."""


class InstallError(RegimetryError, ImportError):
    """An optional package is missing, or two that exclude each other are installed."""


class ExportError(RegimetryError, ValueError):
    """A model cannot be written as the ONNX file that was asked for; no file was written."""


class ExportParityError(RegimetryError, RuntimeError):
    """The exported graph does not compute what the fitted model computes; no file was written."""


class DataWarning(UserWarning):
    """What was decided about data that could be read otherwise, or what of them is not used."""


class RegimeWarning(DataWarning):
    """What is odd about the regimes that a fit found."""
