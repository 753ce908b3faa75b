"""A :class:`Configuration` as a commented file, and the one that a model was fitted with."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from regimetry.configuration.fields import DERIVED, Configuration, allowed
from regimetry.configuration.yamlfile import yaml_scalar
from regimetry.contract import ModelContract
from regimetry.encoder.pretraining.config import PretrainedEncoder
from regimetry.errors import ConfigError


def plain_fields(configuration: Configuration) -> dict[str, Any]:
    """Return a configuration as plain data, which :func:`reading.validated` takes back."""
    data = asdict(configuration)
    given = configuration.encoder
    data["encoder"] = (
        str(given)
        if isinstance(given, PretrainedEncoder | str)
        else {name: value for name, value in data["encoder"].items() if name not in DERIVED}
    )
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in data.items()
    }


def as_yaml(configuration: Configuration, *, heading: str = "") -> str:
    """Write a configuration as YAML: every field, with its meaning and what it takes."""
    lines = [f"# {line}" for line in heading.splitlines()]
    data = plain_fields(configuration)
    for entry in fields(Configuration):
        lines.append(f"\n# {entry.metadata['help']}")
        value = data[entry.name]
        if not isinstance(value, dict):
            lines += [f"# {allowed(entry.name)}", f"{entry.name}: {yaml_scalar(value)}"]
            continue
        lines.append(f"{entry.name}:")
        for name, inner in value.items():
            lines.append(f"  {name}: {yaml_scalar(inner)}  # {allowed(f'{entry.name}.{name}')}")
    return "\n".join(lines).lstrip("\n") + "\n"


def of_model(contract: ModelContract) -> dict[str, Any]:
    """Return plain data that would fit a model again on the same table.

    The time column is the data's: it is found, or named at the fit.

    Raises
    ------
    ConfigError
        The encoder was a model of somebody's own, which no file of fields can hold.
    """
    encoder = contract.training.configuration["encoder"]
    if "pretrained" in encoder:
        return {**kept_fields(contract), "encoder": encoder["pretrained"]}
    if "pooling" not in encoder:
        name = encoder.get("name") or encoder.get("file")
        raise ConfigError(
            f"The encoder of this model is {name!r}, a model of somebody's own, which a "
            "configuration cannot hold. Fit again with it: RegimeDetector(encoder=...), or "
            "regimetry fit --encoder-file for an ONNX file."
        )
    own = {name: value for name, value in encoder.items() if name not in DERIVED}
    return {**kept_fields(contract), "encoder": own}


def kept_fields(contract: ModelContract) -> dict[str, Any]:
    """Return :func:`of_model` without the encoder, which a model file holds itself."""
    features = contract.training.features
    stored = {
        name: value for name, value in contract.training.configuration.items() if name != "encoder"
    }
    for name in ("objective", "names"):
        stored[name] = stored.get(name) or "none"
    columns = contract.schema.names if features is None else features.columns.names
    return {
        **stored,
        "columns": list(columns),
        "by": contract.by,
        **({} if features is None else {"features": "ohlcv", "feature_window": features.window}),
        "seed": contract.training.seed,
    }
