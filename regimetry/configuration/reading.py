"""From plain data, a file and flags to a :class:`Configuration`, with every refusal in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from regimetry.configuration.fields import DERIVED, Configuration, allowed
from regimetry.configuration.yamlfile import read_yaml
from regimetry.encoder.config import DEFAULT_ENCODER, EncoderConfig
from regimetry.errors import ConfigError, InstallError

if TYPE_CHECKING:
    from pathlib import Path


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
        pydantic or PyYAML is not installed.
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
    ConfigError, InstallError
        As for :func:`resolve`.
    """
    _require_known(data, [entry.name for entry in fields(Configuration)], "")
    encoder = data.get("encoder", {})
    if isinstance(encoder, dict):
        _refuse_derived(encoder)
        known = [entry.name for entry in fields(EncoderConfig) if entry.name not in DERIVED]
        _require_known(encoder, known, "encoder.")
        data = {**data, "encoder": {**asdict(DEFAULT_ENCODER), **encoder}}
    try:
        # As JSON, in which pydantic's strict mode takes a list for a tuple, and 1 for 1.0.
        text = json.dumps(data)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"The configuration holds a value that is no text, number, list or mapping ({error})."
        ) from error
    pydantic, adapter = _adapter()
    try:
        configuration: Configuration = adapter.validate_json(text, strict=True)
    except pydantic.ValidationError as error:
        raise ConfigError(_sentence(error.errors()[0], data)) from error
    return configuration


@cache
def _adapter() -> tuple[Any, Any]:
    try:
        import pydantic
    except ModuleNotFoundError as error:
        raise InstallError(
            "pydantic is not installed. Run: pip install 'regimetry[train]'."
        ) from error
    return pydantic, pydantic.TypeAdapter(Configuration)


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


def _sentence(error: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Put one of pydantic's errors into words: the field, what it is, what it may be."""
    location = error["loc"]
    nested = len(location) > 1 and location[0] == "encoder"
    if error["type"] == "value_error":  # a check of a class's own, whose sentence stands
        return f"{'encoder.' if location else ''}{error['ctx']['error']}"
    name = location[0]
    value = data[name]
    if nested:
        value, name = value[location[1]], f"encoder.{location[1]}"
    return f"{name} is {_found(value)}; it must be {allowed(name)}."


def _found(value: Any) -> str:
    """Return a value as the file has it."""
    words = {True: "true", False: "false", None: "null"}
    return words[value] if isinstance(value, bool | None) else repr(value)
