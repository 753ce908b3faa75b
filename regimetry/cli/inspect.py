"""``regimetry inspect``: what a model file says about itself."""

from __future__ import annotations

import argparse
from pathlib import Path

from regimetry.cli.arguments import add_json


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser("inspect", help="show a model file's contract")
    parser.add_argument("model", type=Path, help="model file (.onnx)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print the contract."""
    from regimetry.cli.output import print_json, regime_table, text_table
    from regimetry.runtime.model import load

    contract = load(options.model, device="cpu").contract
    if options.json:
        print_json(contract.to_dict())
        return
    training = contract.training
    span = f"{training['start']} to {training['end']}" if training["start"] else "no timestamps"
    print(f"window        {contract.window_size} bars, {contract.window_rows} rows read")
    print(f"embedding     {contract.embedding_size} numbers")
    print(f"trained on    {training['rows']} rows, {span}, seed {training['seed']}")
    print(f"fingerprint   {training['fingerprint'][:16]}")
    print(f"penalty       {contract.jump_penalty:g} causal, {contract.smooth_penalty:g} smooth")
    print(f"versions      {', '.join(f'{k} {v}' for k, v in training['versions'].items())}")
    features = [
        [name, transform, f"{mean:.6g}", f"{1 / scale:.6g}"]
        for name, transform, mean, scale in zip(
            contract.schema.feature_names,
            contract.transforms,
            contract.mean,
            contract.scale,
            strict=True,
        )
    ]
    print("\n" + text_table(["feature", "transform", "mean", "deviation"], features))
    print("\n" + regime_table(contract))
    names = [regime.name for regime in contract.regimes]
    matrix = [
        [name, *(f"{value:.4f}" for value in row)]
        for name, row in zip(names, contract.transition_matrix, strict=True)
    ]
    print("\n" + text_table(["from \\ to", *names], matrix))
