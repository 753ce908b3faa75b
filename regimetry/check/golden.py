"""The golden file: windows with the outputs that any runtime must give for them.

It lies beside the model as ``<stem>.golden.json``: one JSON object in plain lists, which any
language reads. The outputs come from the encoder in numpy, or in Keras where it was trained, and
from the numpy head of the fit; not from the graph.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.check.parity import close_calls
from regimetry.contract import ALL_OUTPUTS, INPUT_NAME, ModelContract, Signature
from regimetry.contract.typed import json_object
from regimetry.errors import ModelError
from regimetry.runtime.recursion import Recursion
from regimetry.series.scaling import shortest
from regimetry.windows import Windows

FORMAT_VERSION = 2
READABLE_VERSIONS = (1, 2)
"""A file without a version is of version 1, which does not say which model it is of, and of the
recursion pins the labels alone."""

CONSECUTIVE, SPREAD, LEAD_IN = 40, 24, 5

_LABELS, _NOVEL = "labels_from_start", "novel_from_start"
_PROBABILITIES = "probabilities_from_start"


@dataclass(frozen=True, kw_only=True)
class Golden:
    """Windows and the outputs that a runtime must give for them.

    Attributes
    ----------
    window : ndarray of float32, shape (N, R, F)
        Raw, in the user's units. The first C windows follow each other in time.
    outputs : mapping of str to ndarray
        Every output of the graph, N rows each.
    jump_penalty : float
    labels_from_start : ndarray of int64, shape (C,)
        Causal labels of the first C windows, for a stream that begins with them.
    probabilities_from_start : ndarray of float64, shape (C, K), or None
        Their probabilities; ``None`` in a file of version 1, as what follows.
    novel_from_start : ndarray of bool, shape (C,), or None
        Whether they are novel.
    columns, regimes : tuple of str or None
        Names, in the model's order.
    model : str or None
        SHA-256 of the model file that it lies beside.
    """

    window: NDArray[np.float32]
    outputs: Mapping[str, NDArray[Any]]
    jump_penalty: float
    labels_from_start: NDArray[np.int64]
    probabilities_from_start: NDArray[np.float64] | None = None
    novel_from_start: NDArray[np.bool_] | None = None
    columns: tuple[str, ...] | None = None
    regimes: tuple[str, ...] | None = None
    model: str | None = None


def golden_path(model: str | PathLike[str]) -> Path:
    """Return where the golden file of a model lies."""
    return Path(model).with_suffix(".golden.json")


def golden_rows(
    windows: Windows, distance: NDArray[np.floating], jump_penalty: float
) -> tuple[NDArray[np.int64], int]:
    """Choose windows: a run with changes of regime, then some spread over the rest.

    Windows whose two cheapest regimes cost the same within the tolerance are left out if there are
    others: rounding decides their regime, and runtimes may differ.

    Parameters
    ----------
    windows : Windows, shape (N, R, F)
        All training windows in time order.
    distance : ndarray of float, shape (N, K)
        Of the fitted model.
    jump_penalty : float

    Returns
    -------
    ndarray of int64
        Numbers of 64 windows, or of all if there are fewer.
    int
        How many of them, C, the run has.
    """
    count = min(CONSECUTIVE, int(np.diff(windows.offsets).max()))
    ties = close_calls(distance)
    labels = Recursion(jump_penalty).labels(distance, windows.offsets)
    start = _best_run(labels, ties, count, windows.with_later(count - 1))
    run = np.arange(start, start + count)
    return np.concatenate([run, _spread(len(distance), run, ties)]), count


def make_golden(
    windows: NDArray[np.floating],
    outputs: Mapping[str, NDArray[Any]],
    count: int,
    contract: ModelContract,
    content: bytes,
) -> Golden:
    """Make the golden file of the chosen windows.

    Parameters
    ----------
    windows : ndarray of float, shape (N, R, F)
        Raw; the first C of them follow each other.
    outputs : mapping
        ``embedding`` (N, D), ``distance`` (N, K), ``novelty`` (N,) of the fitted model.
    count : int
        C.
    contract : ModelContract
    content : bytes
        Of the model file.
    """
    distance = np.asarray(outputs["distance"], dtype=np.float32)
    novelty = np.asarray(outputs["novelty"], dtype=np.float32)
    found = {**outputs, "regime": distance.argmin(axis=1)}
    labels, _ = Recursion.of(contract)(distance[:count], novelty[:count])
    return Golden(
        window=np.ascontiguousarray(windows, dtype=np.float32),
        outputs={
            o.name: np.asarray(found[o.name], dtype=o.dtype) for o in ALL_OUTPUTS if o.name in found
        },
        jump_penalty=contract.jump_penalty,
        labels_from_start=labels.regime,
        probabilities_from_start=labels.probability,
        novel_from_start=labels.novel,
        columns=contract.schema.names,
        regimes=tuple(regime.name for regime in contract.regimes),
        model=hashlib.sha256(content).hexdigest(),
    )


def _best_run(
    labels: NDArray[np.int64], ties: NDArray[np.bool_], count: int, starts: NDArray[np.int64]
) -> int:
    """Return the start of a run of ``count`` windows with few ties and many changes of label."""
    changed = np.diff(labels, prepend=labels[0]) != 0
    n_ties, n_changes = (np.cumsum([0, *marks]) for marks in (ties, changed))
    ties_inside = n_ties[starts + count] - n_ties[starts]
    # A stream that begins with the run forgets what came before: early changes do not count.
    first = starts + min(LEAD_IN, count - 1)
    changes = n_changes[starts + count] - n_changes[first]
    # A run without a change shows nothing of the recursion; of the others, the clearest.
    return int(starts[np.lexsort([-changes, ties_inside, changes == 0])[0]])


def _spread(n_windows: int, run: NDArray[np.int64], ties: NDArray[np.bool_]) -> NDArray[np.int64]:
    others = np.setdiff1d(np.arange(n_windows), run)
    clear = others[~ties[others]]
    others = clear if len(clear) >= SPREAD else others
    chosen = np.linspace(0, len(others) - 1, min(SPREAD, len(others))).astype(np.int64)
    return others[chosen]


def write_golden(golden: Golden, path: Path) -> None:
    """Write the file at ``path``; equal content gives equal bytes."""
    count = len(golden.labels_from_start)
    arrays = {INPUT_NAME: golden.window, **golden.outputs, _LABELS: golden.labels_from_start}
    recursion, about, names = "", {}, ("columns", "regimes", "model")
    if golden.probabilities_from_start is not None and golden.novel_from_start is not None:
        about = {name: getattr(golden, name) for name in names}
        arrays[_PROBABILITIES] = golden.probabilities_from_start.astype(np.float32)
        arrays[_NOVEL] = golden.novel_from_start
        recursion = f", {_PROBABILITIES} their probabilities and {_NOVEL} whether they are novel"
    content = {
        "about": f"The first {count} windows follow each other; {_LABELS} are their "
        f"causal labels for a stream that begins with them{recursion}.",
        "format_version": FORMAT_VERSION if about else 1,
        **about,
        **{name: shortest(array) for name, array in arrays.items() if array.dtype.kind == "f"},
        **{name: array.tolist() for name, array in arrays.items() if array.dtype.kind in "ib"},
        "jump_penalty": golden.jump_penalty,
    }
    path.write_text(json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n")


def read_golden(path: Path, contract: ModelContract) -> Golden:
    """Read a golden file, and check that it fits a model.

    Parameters
    ----------
    path : Path
    contract : ModelContract
        Of the model that the file lies beside.

    Returns
    -------
    Golden

    Raises
    ------
    ModelError
        The file is missing, damaged, of an unreadable format version, or of another model.
    """
    if not path.is_file():
        raise ModelError(
            f"There is no golden file {path}. RegimeDetector.save and `regimetry fit` write it "
            "beside the model; copy it there."
        )
    signature = Signature.of(contract)
    try:
        content = json_object(path.read_text(encoding="utf-8"))
        version = content.get("format_version", 1)
        if version not in READABLE_VERSIONS:
            raise ModelError(
                f"{path} has format version {version!r}; this release reads 1 and "
                f"{FORMAT_VERSION}. Use the release that wrote it, or fit and save again."
            )
        later = {} if version == 1 else _later(content)
        golden = Golden(
            window=np.array(content[INPUT_NAME], dtype=signature.input.dtype),
            outputs={t.name: np.array(content[t.name], dtype=t.dtype) for t in signature.outputs},
            jump_penalty=float(content["jump_penalty"]),
            labels_from_start=np.array(content[_LABELS], dtype=np.int64),
            **later,
        )
    except ModelError:
        raise
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ModelError(
            f"The golden file {path} is damaged ({error}). Fit and save the model again."
        ) from error
    _require_fit(golden, signature, contract, path)
    return golden


def _later(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that version 2 added."""
    return {
        "probabilities_from_start": np.array(content[_PROBABILITIES], dtype=np.float64),
        "novel_from_start": np.array(content[_NOVEL], dtype=bool),
        "columns": tuple(map(str, content["columns"])),
        "regimes": tuple(map(str, content["regimes"])),
        "model": str(content["model"]),
    }


def _require_fit(golden: Golden, signature: Signature, contract: ModelContract, path: Path) -> None:
    jump_penalty = contract.jump_penalty
    count, run = len(golden.window), golden.labels_from_start
    arrays = {INPUT_NAME: golden.window, **golden.outputs}
    for name, _, sizes in (signature.input, *signature.outputs):
        shape = (count, *sizes)
        if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
            raise ModelError(
                f"The golden file {path} is of another model or damaged: {name} has shape "
                f"{arrays[name].shape} where finite {shape} is expected. Fit and save the model "
                "again."
            )
    if run.ndim != 1 or not 1 <= len(run) <= count or golden.jump_penalty != jump_penalty:
        raise ModelError(
            f"The golden file {path} is of another model or damaged: it holds {run.size} causal "
            f"labels at a penalty of {golden.jump_penalty:g}, where at most {count} at "
            f"{jump_penalty:g} are expected. Fit and save the model again."
        )
    if golden.regimes is None:
        return
    names = tuple(regime.name for regime in contract.regimes)
    for what, found, expected in (
        ("columns", golden.columns, contract.schema.names),
        ("regimes", golden.regimes, names),
    ):
        if found != expected:
            raise ModelError(
                f"The golden file {path} is of another model or damaged: its {what} are "
                f"{', '.join(found or ())}, where {', '.join(expected)} are expected. Fit and save "
                "the model again."
            )
    recursion = golden.probabilities_from_start, golden.novel_from_start
    shapes = [() if array is None else array.shape for array in recursion]
    if shapes != [(len(run), len(names)), (len(run),)]:
        raise ModelError(
            f"The golden file {path} is of another model or damaged: its probabilities and novel "
            f"flags have shapes {shapes[0]} and {shapes[1]}, where {(len(run), len(names))} and "
            f"{(len(run),)} are expected. Fit and save the model again."
        )
