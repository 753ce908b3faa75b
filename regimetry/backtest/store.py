"""The folder of a walk: one file a refit, under a name that says all that it depends on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regimetry.backtest.bars import Bars
from regimetry.backtest.refit import Refit, as_arrays, of_arrays
from regimetry.errors import ConfigError, DataError
from regimetry.files import replacing

if TYPE_CHECKING:
    from regimetry.detector import RegimeDetector

REFITS = "refits"


def refit_key(detector: RegimeDetector, bars: Bars, end: int, features: Any) -> str:
    """Return the SHA-256 of what a refit depends on: version, parameters, rows, last fitted bar.

    Raises
    ------
    ConfigError
        A parameter is an object that no file name can stand for.
    """
    parameters = {
        name: value
        for name, value in detector.get_params(deep=False).items()
        if name not in ("device", "progress")
    }
    said = [version("regimetry"), parameters, features, bars.by, bars.price_name]
    digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=_plain).encode())
    digest.update(str(int((bars.time < end).sum())).encode())
    frame = bars.frame
    digest.update(json.dumps([*map(str, frame.columns)]).encode())
    import pandas as pd

    digest.update(pd.util.hash_pandas_object(frame, index=True).to_numpy().tobytes())
    digest.update(bars.returns.tobytes())
    return digest.hexdigest()[:24]


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Path):
        return hashlib.sha256(value.read_bytes()).hexdigest()
    if isinstance(value, np.generic):
        return value.item()
    raise ConfigError(
        f"A parameter of the detector is {value!r}, which a folder cannot keep results under. "
        "Leave folder out, or give plain values and files."
    )


class Store:
    """Refits that are done; each file is complete or absent.

    Parameters
    ----------
    folder : Path
        Made if need be.

    Raises
    ------
    DataError
        The folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / REFITS
        try:
            folder.mkdir(exist_ok=True)
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise DataError(
                f"The folder {folder} cannot be made ({error}). Choose another."
            ) from error

    def get(self, key: str) -> Refit | None:
        """Return a refit, or ``None`` where it is still to be done."""
        path = self._folder / f"{key}.npz"
        if not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return of_arrays(arrays)
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{path} cannot be read ({error}). Remove it.") from error

    def keep(self, key: str, refit: Refit) -> None:
        """Write a refit."""
        arrays: dict[str, Any] = dict(as_arrays(refit))
        with replacing(self._folder / f"{key}.npz") as temporary:
            np.savez_compressed(temporary, **arrays)
