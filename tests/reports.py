"""Labelled bars made up for reports: a random walk whose steps grow with the regime's number."""

import dataclasses

import numpy as np
import pytest

from regimetry.report.axis import TimeAxis
from regimetry.report.data import Drawn, gather

RECORDED = {
    "history": {"step": [10, 20, 30], "loss": [1.0, 0.8, 0.7], "val_loss": [1.1, 0.9, 0.95]},
    "eigenvalues": (1.0, 0.95668, 0.9, 0.7, 0.6, 0.5),
    "candidates": (),
}
"""What a trained model of before the table of candidates says of its fit."""


@pytest.fixture(scope="session")
def contract(shipped):
    """Return the shipped model's contract, as if it had K regimes and had been trained."""
    base = shipped.contract

    def contract(k=3, names=None, **training):
        regime = base.regimes[0]
        names = names or [f"regime_{i}" for i in range(k)]
        return dataclasses.replace(
            base,
            regimes=tuple(dataclasses.replace(regime, name=name) for name in names),
            density=None,
            single_density=None,
            transition_matrix=tuple(map(tuple, np.eye(k).tolist())),
            training=dataclasses.replace(base.training, **(RECORDED | training)),
        )

    return contract


@pytest.fixture(scope="session")
def made(contract):
    """Return a function that gathers a report of made-up labels."""

    def made(n=600, k=3, *, dated=True, name="close", names=None, training=None, **arguments):
        generator = np.random.default_rng(n + k)
        moves = np.cumsum(generator.random(n) < 0.05)
        labels = generator.integers(0, k, moves[-1] + 1)[moves]
        price = 100 * np.exp(np.cumsum(0.002 * (1 + labels) * generator.standard_normal(n)))
        probability = np.eye(k)[labels] * 0.7 + 0.3 / k
        novelty = np.exp(0.2 * generator.standard_normal(n))
        embedding = np.column_stack([labels, generator.standard_normal((n, 4))])
        warm_up = min(20, n - 1)
        labels[:warm_up], probability[:warm_up], novelty[:warm_up] = -1, np.nan, np.nan
        days = np.datetime64("2019-01-01") + np.arange(n)
        given = {
            "axis": TimeAxis.of(days if dated else np.arange(n), "date" if dated else None),
            "drawn": Drawn(name, price),
            "labels": labels,
            "probability": probability,
            "novelty": novelty,
            "embedding": embedding[warm_up:],
            "model_name": "made.onnx",
            "data_name": "made.csv",
            **arguments,
        }
        return gather(contract(k, names, **(training or {})), **given)

    return made
