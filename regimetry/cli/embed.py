"""``regimetry embed``: a table in, one embedding per window out."""

from __future__ import annotations

import argparse

import numpy as np

from regimetry.cli.arguments import MODEL_AND_DATA, READING, output
from regimetry.cli.labelled_table import opened
from regimetry.cli.output import show
from regimetry.cli.progress import progress
from regimetry.cli.verb import Verb
from regimetry.files import replacing, require_writable
from regimetry.series.file_options import STANDARD, FileOptions
from regimetry.series.table_files import print_table, read_table, require_table_suffix, write_table

VERB = Verb(
    help="embed every full window of a table",
    description="Write one embedding per window: a matrix (N, D) to .npy, or a table with the time "
    "of each window's last bar to .parquet or .csv.",
    examples=[
        "regimetry embed spx.onnx spx.csv -o embeddings.npy",
        "regimetry embed spx.onnx spx.csv -o embeddings.parquet",
    ],
    arguments=[
        *MODEL_AND_DATA,
        READING,
        output("file to write (.npy, .parquet, .csv, or - for CSV on standard output)"),
    ],
)


def run(options: argparse.Namespace) -> None:
    """Embed and write."""
    as_matrix = options.output.suffix.lower() == ".npy"
    to_output = options.output == STANDARD
    if not (as_matrix or to_output):
        require_table_suffix(options.output)
    if not to_output:
        require_writable(options.output)
    model = opened(options)
    table = read_table(
        options.data, FileOptions.of(options, model.rules.repeated), by=model.contract.by
    )
    rows = table.frame.reset_index(drop=table.came is None)  # times stay, by which gaps are seen
    with progress(len(rows), "embedding", model.contract.unit) as advance:
        embeddings = model.embed(rows, advance=advance)
    if as_matrix:
        with replacing(options.output) as temporary, temporary.open("wb") as file:
            np.save(file, embeddings.to_numpy())
    elif to_output:
        print_table(table.written(embeddings, embeddings.index))
        return
    else:
        write_table(table.written(embeddings, embeddings.index), options.output)
    windows, size = embeddings.shape
    show(
        options,
        {"path": str(options.output), "windows": windows, "numbers": size},
        f"{options.output}: {windows} windows, {size} numbers each",
    )
