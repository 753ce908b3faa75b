"""From plain data, a file and flags to a :class:`Configuration`, with every refusal in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from regimetry.configuration.fields import DERIVED, YAML, Configuration
from regimetry.configuration.yamlfile import read_yaml
from regimetry.encoder.config import DEFAULT_ENCODER, EncoderConfig
from regimetry.encoder.pretraining.config import pretrained_of
from regimetry.errors import ConfigError
from regimetry.parameters import Allowed, allowed_of, checked


def resolve(path: Path | None, flags: Mapping[str, Any]) -> Configuration:
    """Return the configuration of a run: a flag beats the file, the file beats the default.

    Parameters
    ----------
    path : Path or None
        YAML file.
    flags : mapping
        Values by field.

    Raises
    ------
    ConfigError
        Field, value and what is allowed are named.
    InstallError
        PyYAML is not installed.
    """
    data = {} if path is None else read_yaml(path)
    if path is not None:
        try:
            validated(data)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error
    return validated({**data, **flags})


def validated(data: Mapping[str, Any]) -> Configuration:
    """Check plain data, field by field; absent fields take their defaults.

    Raises
    ------
    ConfigError
        As for :func:`resolve`.
    """
    takes, inner = allowed_of(Configuration), allowed_of(EncoderConfig)
    _require_known(data, takes, "")
    encoder = data.get("encoder", {})
    if isinstance(encoder, Mapping):
        _refuse_derived(encoder)
        _require_known(encoder, [name for name in inner if name not in DERIVED], "encoder.")
        read = {
            name: checked(f"encoder.{name}", value, inner[name], YAML)
            for name, value in _as_floats(encoder, inner).items()
        }
        data = {**data, "encoder": replace(DEFAULT_ENCODER, **read)}
    elif encoder is None:
        data = {**data, "encoder": DEFAULT_ENCODER}
    elif isinstance(encoder, str):
        data = {**data, "encoder": pretrained_of(encoder) or encoder}
    return Configuration(**_as_floats(data, takes))


def _as_floats(data: Mapping[str, Any], takes: Mapping[str, Allowed]) -> dict[str, Any]:
    """Return the values of a file, where 2 means 2.0 in a field of numbers."""
    return {
        name: float(value) if type(value) is int and float in takes[name].kinds else value
        for name, value in data.items()
    }


def _require_known(data: Mapping[Any, Any], known: Iterable[str], prefix: str) -> None:
    known = list(known)
    for name in data:
        if name in known:
            continue
        close = get_close_matches(str(name), known, n=1)
        hint = f" Did you mean {prefix}{close[0]}?" if close else ""
        raise ConfigError(
            f"There is no field {prefix}{name}.{hint} The fields are {', '.join(known)}."
        )


def _refuse_derived(encoder: Mapping[Any, Any]) -> None:
    sources = {"window_size": "the field window_size", "num_features": "the data"}
    for name in DERIVED:
        if name in encoder:
            raise ConfigError(
                f"encoder.{name} is {encoder[name]!r}; {sources[name]} sets it. Leave it out."
            )
