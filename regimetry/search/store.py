"""A search's folder: what it is of, one file a finished trial, the table and the best."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from regimetry.errors import DataError
from regimetry.files import replacing
from regimetry.search.grid import key_of
from regimetry.search.ranking import CRITERIA

SEARCH, TRIALS, TABLE, BEST = "search.json", "trials", "table.csv", "best.yaml"


def fingerprint_of(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Store:
    """The folder of one search. Each file in it is complete or absent.

    Parameters
    ----------
    folder : Path
        Made if need be.
    search : mapping
        Plain data that the trials depend on: data, base configuration, grid, horizon, versions.
    restart : bool
        Remove the trials of another search rather than refuse the folder.

    Raises
    ------
    DataError
        The folder cannot be made, or holds a search of something else.
    """

    def __init__(self, folder: Path, search: Mapping[str, Any], *, restart: bool = False) -> None:
        self.folder = folder
        try:
            folder.mkdir(exist_ok=True)
            (folder / TRIALS).mkdir(exist_ok=True)
        except OSError as error:
            raise DataError(
                f"The folder {folder} cannot be made ({error}). Choose another."
            ) from error
        if restart:
            written = (folder / name for name in (SEARCH, TABLE, BEST))
            for path in [*written, *(folder / TRIALS).glob("*.json")]:
                path.unlink(missing_ok=True)
        self._claim(json.loads(json.dumps(search)))

    def _claim(self, search: dict[str, Any]) -> None:
        path = self.folder / SEARCH
        if not path.is_file():
            _write_json(path, search)
            return
        found = _read_json(path)
        differing = [name for name in search if found.get(name) != search[name]]
        if differing:
            raise DataError(
                f"{self.folder} holds a search with other {', '.join(differing)}. Name another "
                "folder with -o, or start again with --restart."
            )

    def done(self) -> dict[str, dict[str, Any]]:
        """Return the finished trials by the key of their point."""
        paths = sorted((self.folder / TRIALS).glob("*.json"))
        return {path.stem: _read_json(path) for path in paths}

    def keep(self, trial: Mapping[str, Any]) -> None:
        """Write a finished trial."""
        _write_json(self.folder / TRIALS / f"{key_of(trial['point'])}.json", trial)

    def write_table(self, ranked: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
        """Write the ranked trials as CSV; ``names`` are the fields of the grid."""
        with (
            replacing(self.folder / TABLE) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as out,
        ):
            writer = csv.writer(out)
            writer.writerow(
                [*names, *CRITERIA, "rank", "log_likelihood", "regimes", "seconds", "failure"]
            )
            for trial in ranked:
                scores = trial.get("scores") or {}
                writer.writerow(
                    [
                        *(trial["point"][name] for name in names),
                        *(scores.get(name) for name in CRITERIA),
                        trial["rank"],
                        scores.get("log_likelihood"),
                        " ".join(map(str, scores.get("n_regimes", ()))),
                        trial["seconds"],
                        trial.get("failure"),
                    ]
                )

    def write_best(self, text: str) -> None:
        """Write the best configuration."""
        with replacing(self.folder / BEST) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    with replacing(path) as temporary:
        text = json.dumps(data, indent=1, allow_nan=False, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Remove it, or use --restart.") from error
    if not isinstance(found, dict):
        raise DataError(f"{path} is no record of a search. Remove it, or use --restart.")
    return found
