"""From the metadata of a model file to its contract."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from regimetry.contract.consistency import require_consistent
from regimetry.contract.description import (
    CONTRACT_KEY,
    FORMAT_KEY,
    FORMAT_VERSION,
    PRECISION_KEY,
    PRECISIONS,
    READABLE_VERSIONS,
    ModelContract,
)
from regimetry.contract.typed import json_object, read
from regimetry.errors import ModelError
from regimetry.series.scaling import InstrumentScaling
from regimetry.series.schema import Schema


def read_contract(metadata: Mapping[str, str], source: str) -> ModelContract:
    """Read the contract of a model file.

    Parameters
    ----------
    metadata : mapping of str to str
        ``metadata_props`` of the file.
    source : str
        The file's name, for messages.

    Returns
    -------
    ModelContract
        Its fingerprint is that of the text in the file, so every release computes the same one.

    Raises
    ------
    ModelError
        No regimetry model, a format version that this release cannot read, or damaged data.
    """
    if FORMAT_KEY not in metadata or CONTRACT_KEY not in metadata:
        raise ModelError(
            f"{source} is an ONNX file, but not a regimetry model: its metadata lack "
            f"{FORMAT_KEY!r}. Make one with `regimetry fit` or RegimeDetector.save."
        )
    if metadata[FORMAT_KEY] not in READABLE_VERSIONS:
        raise ModelError(_unreadable_version(metadata[FORMAT_KEY], source))
    try:
        contract = _contract(metadata[CONTRACT_KEY])
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ModelError(
            f"The metadata of {source} are damaged ({error}). Fit and save the model again, or "
            "upgrade regimetry if a newer release wrote it."
        ) from error
    require_consistent(contract, source)
    vars(contract)["fingerprint"] = hashlib.sha256(metadata[CONTRACT_KEY].encode()).hexdigest()
    return contract


def precision_of(metadata: Mapping[str, str], source: str) -> str:
    """Return the precision of a model file: "float32", or "float16" if its metadata say so.

    Raises
    ------
    ModelError
        The file names a precision that this release does not know.
    """
    precision = metadata.get(PRECISION_KEY, PRECISIONS[0])
    if precision not in PRECISIONS:
        raise ModelError(
            f"{source} says its precision is {precision!r}; this release knows "
            f"{' and '.join(PRECISIONS)}. Upgrade regimetry, or fit and save again."
        )
    return precision


def _contract(text: str) -> ModelContract:
    data = json_object(text)
    unknown = data.keys() - ModelContract.__dataclass_fields__.keys()
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: no entry of this version")
    data["schema"] = Schema.from_list(data["schema"])
    if data.get("scaling") is not None:
        data["scaling"] = InstrumentScaling.from_dict(data["scaling"], data["transforms"])
    contract: ModelContract = read(ModelContract, data)
    return contract


def _unreadable_version(version: str, source: str) -> str:
    newer = version.isdecimal() and int(version) > FORMAT_VERSION
    remedy = (
        "A newer release wrote it: upgrade regimetry, or fit and save again with this one."
        if newer
        else "Use the release that wrote it, or fit and save again."
    )
    return (
        f"{source} has format version {version!r}; this release reads "
        f"{', '.join(READABLE_VERSIONS[:-1])} and {READABLE_VERSIONS[-1]}. {remedy}"
    )
