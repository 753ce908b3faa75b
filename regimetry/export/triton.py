"""A model repository for NVIDIA's Triton inference server.

    DIR/NAME/config.pbtxt
    DIR/NAME/1/model.onnx

The configuration is protobuf text of Triton's ``inference.ModelConfig``.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regimetry.check.reader import SourceFile
from regimetry.contract import Signature, Tensor
from regimetry.errors import ConfigError, DataError
from regimetry.export.targets import require_window_form
from regimetry.files import require_writable
from regimetry.parameters import require_choice, require_integer

KINDS = ("auto", "cpu", "gpu")
PREFERRED_BATCHES = (16, 32, 64)
"""Batches that a CPU runs fastest; more leave its caches."""

_TYPES = {"float32": "TYPE_FP32", "int64": "TYPE_INT64"}


def triton_config(
    model: SourceFile,
    name: str,
    *,
    kind: str = "auto",
    instances: int = 1,
    queue_delay_us: int = 500,
) -> str:
    """Return the text of ``config.pbtxt``.

    Every window is one row of a batch. ``regime`` and ``novelty`` are one number per window, which
    Triton shows as (batch, 1): its tensors must have a dimension besides the batch. There are
    no class labels: Triton ranks classes by the largest value, and the nearest centroid is the
    smallest. Regime names and the price of a change stand under ``parameters`` instead.

    Parameters
    ----------
    model : SourceFile
        Of the window form.
    name : str
        Of the model in the repository: letters, digits, ``_``, ``-`` and ``.``.
    kind : {"auto", "cpu", "gpu"}
        Where the instances run; "auto" takes a GPU if the server has one.
    instances : int
        Copies that run at the same time, on each GPU for "gpu".
    queue_delay_us : int
        Longest wait for a batch to fill, in microseconds.

    Returns
    -------
    str

    Raises
    ------
    ConfigError
        The model is of the series form, or a parameter has a value that is not allowed.
    """
    require_choice("kind", kind, KINDS)
    require_integer("instances", instances, 1)
    require_integer("queue_delay_us", queue_delay_us, 0)
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise ConfigError(
            f"name is {name!r}; it must consist of letters, digits, '_', '-' and '.', and begin "
            "with neither of the last two."
        )
    require_window_form(model)  # a series has no batch that Triton could fill
    largest = PREFERRED_BATCHES[-1]
    signature = Signature.of(model.contract)
    sections: list[tuple[str, Any]] = [
        ("name", name),
        ("platform", "onnxruntime_onnx"),
        ("max_batch_size", largest),
        ("input", _tensor(signature.input)),
        *(("output", _tensor(output)) for output in signature.outputs),
        (
            "dynamic_batching",
            {
                "preferred_batch_size": list(PREFERRED_BATCHES),
                "max_queue_delay_microseconds": queue_delay_us,
            },
        ),
        ("instance_group", {"count": instances, "kind": _Word(f"KIND_{kind.upper()}")}),
        *(("model_warmup", _warm_up(size, signature.input)) for size in (1, largest)),
        *(("parameters", entry) for entry in _config_parameters(model)),
    ]
    return "".join(_lines(key, value, "") for key, value in sections)


class _Word(str):
    """An enumeration's value, which stands without quotes."""


def _tensor(tensor: Tensor) -> dict[str, Any]:
    entry = {"name": tensor.name, "data_type": _Word(_TYPES[tensor.dtype.name])}
    if tensor.shape:
        return {**entry, "dims": list(tensor.shape)}
    return {**entry, "dims": [1], "reshape": {"shape": []}}


def _warm_up(size: int, tensor: Tensor) -> dict[str, Any]:
    value = {
        "data_type": _Word(_TYPES[tensor.dtype.name]),
        "dims": list(tensor.shape),
        "zero_data": _Word("true"),
    }
    inputs = {"key": tensor.name, "value": value}
    return {"name": f"batch of {size}", "batch_size": size, "inputs": inputs}


def _config_parameters(model: SourceFile) -> list[dict[str, Any]]:
    contract = model.contract
    entries = {
        # An instance takes one thread: instances, not threads, run at the same time.
        "intra_op_thread_count": "1",
        "inter_op_thread_count": "1",
        "jump_penalty": repr(contract.jump_penalty),
        "regimes": json.dumps([regime.name for regime in contract.regimes]),
        "columns": json.dumps(contract.schema.feature_names),
    }
    return [{"key": key, "value": {"string_value": value}} for key, value in entries.items()]


def _lines(key: str, value: Any, indent: str) -> str:
    """Return one field as protobuf text."""
    if isinstance(value, Mapping):
        inner = "".join(_lines(name, item, indent + "  ") for name, item in value.items())
        return f"{indent}{key} {{\n{inner}{indent}}}\n"
    # Numbers, lists and text in UTF-8 are written as in JSON.
    written = value if isinstance(value, _Word) else json.dumps(value, ensure_ascii=False)
    return f"{indent}{key}: {written}\n"


def write_triton(
    model: SourceFile, folder: Path, name: str, *, force: bool = False, **options: Any
) -> Path:
    """Write ``folder/name`` of a model repository: complete or not at all.

    Parameters
    ----------
    model : SourceFile
    folder : Path
        The repository; it is made if its parent exists.
    name : str
        Of the model.
    force : bool
        Replace a model of that name.
    **options
        Of :func:`triton_config`.

    Returns
    -------
    Path
        ``folder/name``.

    Raises
    ------
    ConfigError
        As for :func:`triton_config`.
    DataError
        The folder cannot be made or written to, or holds a model of that name.
    """
    text = triton_config(model, name, **options)
    target = folder / name
    if target.exists() and not force:
        raise DataError(f"{target} exists already. Use --force to replace it, or another --name.")
    if folder.is_file():
        raise DataError(f"{folder} is a file; name a folder for the model repository.")
    made = not folder.exists()
    require_writable(folder if made else folder / ".writing")
    folder.mkdir(exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder, prefix=".writing-"))
    fresh, old = scratch / "new", scratch / "old"
    try:
        (fresh / "1").mkdir(parents=True)
        (fresh / "1" / "model.onnx").write_bytes(model.content)
        (fresh / "config.pbtxt").write_text(text, encoding="utf-8")
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    except BaseException:
        if old.exists():
            old.rename(target)
        shutil.rmtree(scratch, ignore_errors=True)
        if made:
            folder.rmdir()
        raise
    shutil.rmtree(scratch)
    return target
