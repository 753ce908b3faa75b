"""What each regime says of its bars, as tables of text."""

from __future__ import annotations

import numpy as np

from regimetry.cli.output import text_table
from regimetry.contract import ModelContract
from regimetry.runtime.regime_card import RegimeCard, cards
from regimetry.runtime.row_model import NO_DENSITY, RowModel


def emission_cards(contract: ModelContract) -> tuple[RegimeCard, ...]:
    """Return the regimes' densities; none of a file without."""
    return () if contract.density is None else cards(RowModel.of_regimes(contract))


def emission_text(contract: ModelContract) -> str:
    """Return the densities as tables: moments, autoregression, scales."""
    found = emission_cards(contract)
    if not found:
        return NO_DENSITY
    columns = found[0].columns
    header = [
        "regime",
        "column",
        "mean",
        "error",
        "deviation",
        *(f"corr {name}" for name in columns),
    ]
    moments = [
        [
            card.name,
            name,
            *(f"{value:.4g}" for value in (card.mean[i], card.mean_error[i], deviation[i])),
            *(f"{value:.2f}" for value in card.covariance[i] / (deviation[i] * deviation)),
        ]
        for card in found
        for deviation in [np.sqrt(np.diagonal(card.covariance))]
        for i, name in enumerate(columns)
    ]
    tails = [
        [
            card.name,
            *(
                f"{value:.3g}"
                for value in (
                    card.degrees_of_freedom,
                    card.shock,
                    card.memory,
                    card.leverage.max(),
                    card.fall_memory,
                )
            ),
            ", ".join(f"{value:.2f}" for value in card.skew),
        ]
        for card in found
    ]
    blocks = [
        text_table(header, moments),
        text_table(
            ["regime", "freedom", "shock", "memory", "leverage", "fall memory", "skew"], tails
        ),
    ]
    slopes = [
        [card.name, f"{name}, {back + 1} before", *(f"{value:.3f}" for value in row)]
        for card in found
        for back, matrix in enumerate(card.autoregression)
        for name, row in zip(columns, matrix, strict=True)
    ]
    if slopes:
        blocks.append(
            text_table(["regime", "a unit of", *(f"adds to {name}" for name in columns)], slopes)
        )
    blocks.append(_scores(contract))
    return "\n\n".join(filter(None, blocks))


def _scores(contract: ModelContract) -> str:
    """Say what the densities are worth: of the regimes, and of one regime for all."""
    density, unit = contract.density, contract.unit
    if density is None or density.score is None:
        return ""
    said = (
        f"Mean log score of the training {contract.units}, each given those before it: "
        f"{density.score:.4f} nats"
    )
    if contract.single_score is None:
        return f"{said}."
    said += f" by these, {contract.single_score:.4f} by one regime whose scale moves."
    if contract.single_density is None:
        return f"{said} Log scores and forecasts come from the regimes."
    return (
        f"{said} Less what parameters cost, the latter says more of the next {unit}: log scores "
        "and forecasts come from it."
    )
