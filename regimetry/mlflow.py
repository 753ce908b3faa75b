"""Models in MLflow: a pyfunc whose only artifact is the model file.

A call labels one table from its first row to its last, causally, by the model's own recursion. It
keeps nothing for the next call: whoever asks about live rows sends the rows before them as well, or
keeps a :class:`~regimetry.Stream`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from regimetry.check.golden import Golden, golden_path, read_golden
from regimetry.contract import ModelContract
from regimetry.errors import ConfigError, DataError, InstallError
from regimetry.runtime.model import RegimeModel, load

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.models.model import ModelInfo

_FILE = "model.onnx"
TIME = "time"
"""The column of times that a signature allows besides the model's own."""


def log_model(model: Any, name: str = "regimes", **options: Any) -> ModelInfo:
    """Log a model to the active run, with its signature and an input example.

    Parameters
    ----------
    model : path, RegimeModel or fitted RegimeDetector
    name : str
        Of the logged model.
    **options
        Of :func:`mlflow.pyfunc.log_model`, such as ``registered_model_name`` or ``input_example``.

    Returns
    -------
    mlflow.models.model.ModelInfo

    Raises
    ------
    ConfigError
        It is no model.
    InstallError
        MLflow is not installed.
    """
    mlflow = _mlflow()
    with TemporaryDirectory() as folder:
        return mlflow.pyfunc.log_model(name=name, **_parts(model, Path(folder)), **options)


def save_model(model: Any, path: str | PathLike[str], **options: Any) -> None:
    """Write a model as a folder of MLflow; parameters as for :func:`log_model`."""
    mlflow = _mlflow()
    with TemporaryDirectory() as folder:
        mlflow.pyfunc.save_model(path=str(path), **{**_parts(model, Path(folder)), **options})


def load_model(uri: str, **settings: Any) -> RegimeModel:
    """Open the model file of a logged model by :func:`regimetry.load`.

    Parameters
    ----------
    uri : str
        Of MLflow, such as ``models:/regimes/1`` or ``runs:/.../regimes``, or a folder.
    **settings
        Of :func:`regimetry.load`. The SHA-256 that was logged is required of the file.

    Raises
    ------
    ModelError
        The file is damaged, or another one than was logged.
    """
    mlflow = _mlflow()
    folder = Path(mlflow.artifacts.download_artifacts(uri))
    described = mlflow.models.Model.load(str(folder))
    data = described.flavors["python_function"]["data"]
    return load(folder / data, sha256=(described.metadata or {}).get("sha256"), **settings)


def signature_of(model: RegimeModel) -> ModelSignature:
    """Return what a call takes and gives, by the contract.

    Numbers are doubles and categories strings; besides the model's columns a table may have the
    name of the instrument, where the model was fitted on many, and ``time``.
    """
    _mlflow()
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    contract = model.contract
    columns: list[Any] = [
        ColSpec("double" if column.categories is None else "string", column.name)
        for column in model.schema.columns
    ]
    besides: list[Any] = (
        [ColSpec("datetime", TIME, required=False)] if TIME not in model.schema.names else []
    )
    if contract.by is not None:
        besides.append(ColSpec("string", contract.by, required=False))
    kinds = {
        "regime": "long",
        **{f"p_{regime.name}": "double" for regime in contract.regimes},
        "novelty": "double",
        "novel": "boolean",
    }
    given: list[Any] = [ColSpec(kind, name, required=False) for name, kind in kinds.items()]
    last = ParamSpec("last", "long", 0)
    return ModelSignature(Schema([*columns, *besides]), Schema(given), ParamSchema([last]))


class Pyfunc:
    """What MLflow calls: a table of rows in, a table of labels out.

    Parameters
    ----------
    model : RegimeModel
    """

    def __init__(self, model: RegimeModel) -> None:
        self.model = model

    def predict(
        self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None
    ) -> pd.DataFrame:
        """Label every row, causally; the recursion begins at the first.

        Parameters
        ----------
        model_input : pandas.DataFrame, T rows
            In rising time. Rows before the first full window get no label, so send at least
            ``model.rows``, and some windows more for the recursion to settle.
        params : mapping or None
            ``last``: how many rows at the end to give; 0, the default, gives all.

        Returns
        -------
        pandas.DataFrame
            ``regime``, a probability for each, ``novelty`` and ``novel``; ``None`` where missing.
        """
        last = int((params or {}).get("last", 0))
        if last < 0:
            raise DataError(f"last is {last}; it is a number of rows, or 0 for all.")
        by = self.model.contract.by
        found = self.model.label(model_input, by=by if by in model_input.columns else None)
        table = found.probability.add_prefix("p_")
        table.insert(0, "regime", found.regime)
        table = table.assign(novelty=found.novelty, novel=found.novel)
        table = table.astype(object)
        return table.where(table.notna(), None).iloc[-last:]


def _load_pyfunc(path: str) -> Pyfunc:
    """Return what MLflow calls, of the file that was logged."""
    return Pyfunc(load(path))


def _parts(given: Any, folder: Path) -> dict[str, Any]:
    """Write the model file, and return what describes it to MLflow."""
    model, golden = _opened(given)
    (folder / _FILE).write_bytes(model.content)
    release = version("regimetry")
    return {
        "loader_module": "regimetry.mlflow",
        "data_path": str(folder / _FILE),
        "signature": signature_of(model),
        "input_example": None if golden is None else example_of(golden, model.contract),
        "pip_requirements": [f"regimetry[cpu,mlflow]=={release}"],
        "metadata": {"sha256": model.sha256, "contract": model.contract.fingerprint},
    }


def _opened(given: Any) -> tuple[RegimeModel, Golden | None]:
    if isinstance(given, str | PathLike):
        model = load(given, device="cpu")
        beside = golden_path(given)
        return model, read_golden(beside, model.contract) if beside.is_file() else None
    model = getattr(given, "model_", given)
    if not isinstance(model, RegimeModel):
        raise ConfigError(
            f"The model is {given!r}; it must be a model file, a RegimeModel or a fitted detector."
        )
    return model, getattr(given, "golden_", None)


def example_of(golden: Golden, contract: ModelContract) -> pd.DataFrame | None:
    """Return the rows behind the golden windows that follow each other.

    ``None`` where the windows are not the columns that a table has: features of bars, or
    categories.
    """
    import pandas as pd

    if contract.training.features is not None or any(
        column.categories is not None for column in contract.schema.columns
    ):
        return None
    run = golden.window[: len(golden.labels_from_start)]
    rows = np.concatenate([run[0], run[1:, -1]]).astype(np.float64)
    return pd.DataFrame(rows, columns=list(contract.schema.names))


def _mlflow() -> Any:
    try:
        import mlflow
        import mlflow.pyfunc
    except ImportError as error:
        raise InstallError(
            f"MLflow cannot be loaded ({error.name} is missing). Run: pip install "
            "'regimetry[mlflow]'."
        ) from error
    return mlflow
