"""``regimetry embed``: a table in, one embedding per window out."""

from __future__ import annotations

import argparse

from regimetry.cli.arguments import add_json, add_model_and_data, add_output


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "embed",
        help="embed every full window of a table",
        description="Write one embedding per window: a matrix (N, D) to .npy, or a table with the "
        "time of each window's last bar to .parquet or .csv.",
        examples=[
            "regimetry embed spx.onnx spx.csv -o embeddings.npy",
            "regimetry embed spx.onnx spx.csv -o embeddings.parquet",
        ],
    )
    add_model_and_data(parser)
    add_output(parser, "file to write (.npy, .parquet or .csv)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Embed and write."""
    import numpy as np

    from regimetry.cli.output import print_json
    from regimetry.cli.progress import progress
    from regimetry.files import replacing, require_writable
    from regimetry.runtime.model import load
    from regimetry.series.table_files import read_table, require_table_suffix, write_table

    as_matrix = options.output.suffix.lower() == ".npy"
    if not as_matrix:
        require_table_suffix(options.output)
    require_writable(options.output)
    model = load(options.model, device=options.device)
    table = read_table(options.data, time_column=options.time_column)
    with progress(len(table), "embedding", "bar") as advance:
        embeddings = model.embed(table, advance=advance)
    if as_matrix:
        with replacing(options.output) as temporary, temporary.open("wb") as file:
            np.save(file, embeddings.to_numpy())
    else:
        write_table(embeddings, options.output)
    windows, size = embeddings.shape
    if options.json:
        print_json({"path": str(options.output), "windows": windows, "numbers": size})
    else:
        print(f"{options.output}: {windows} windows, {size} numbers each")
