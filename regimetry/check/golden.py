"""The golden file: windows with the outputs that any runtime must give for them.

It lies beside the model as ``<stem>.golden.json``: one JSON object in plain lists, which any
language reads. The outputs come from the encoder in numpy, or in Keras where it was trained, and
from the numpy head of the fit; not from the graph.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.check.parity import close_calls
from regimetry.contract import INPUT_NAME, OUTPUTS, ModelContract, Signature
from regimetry.errors import ModelError
from regimetry.runtime.recursion import Recursion
from regimetry.series.scaling import shortest
from regimetry.windows import Windows

FORMAT_VERSION = 1
"""A file without a version is of this one."""

CONSECUTIVE, SPREAD, LEAD_IN = 40, 24, 5

_LABELS = "labels_from_start"


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
    """

    window: NDArray[np.float32]
    outputs: Mapping[str, NDArray[Any]]
    jump_penalty: float
    labels_from_start: NDArray[np.int64]


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
    jump_penalty: float,
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
    jump_penalty : float
    """
    distance = np.asarray(outputs["distance"], dtype=np.float32)
    found = {**outputs, "regime": distance.argmin(axis=1)}
    return Golden(
        window=np.ascontiguousarray(windows, dtype=np.float32),
        outputs={o.name: np.asarray(found[o.name], dtype=o.dtype) for o in OUTPUTS},
        jump_penalty=jump_penalty,
        labels_from_start=Recursion(jump_penalty).labels(distance[:count]),
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
    content = {
        "about": f"The first {count} windows follow each other; {_LABELS} are their "
        "causal labels for a stream that begins with them.",
        "format_version": FORMAT_VERSION,
        **{name: shortest(array) for name, array in arrays.items() if array.dtype.kind == "f"},
        **{name: array.tolist() for name, array in arrays.items() if array.dtype.kind == "i"},
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
        content = json.loads(path.read_text())
        version = content.get("format_version", FORMAT_VERSION)
        if version != FORMAT_VERSION:
            raise ModelError(
                f"{path} has format version {version!r}; this release reads {FORMAT_VERSION}. Use "
                "the release that wrote it, or fit and save again."
            )
        golden = Golden(
            window=np.array(content[INPUT_NAME], dtype=signature.input.dtype),
            outputs={t.name: np.array(content[t.name], dtype=t.dtype) for t in signature.outputs},
            jump_penalty=float(content["jump_penalty"]),
            labels_from_start=np.array(content[_LABELS], dtype=np.int64),
        )
    except ModelError:
        raise
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise ModelError(
            f"The golden file {path} is damaged ({error}). Fit and save the model again."
        ) from error
    _require_fit(golden, signature, contract.jump_penalty, path)
    return golden


def _require_fit(golden: Golden, signature: Signature, jump_penalty: float, path: Path) -> None:
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
