"""YAML in and out, as version 1.2 reads it: ``no`` and ``on`` are words, ``1e-3`` is a number.

PyYAML reads version 1.1, in which a column called ``no`` is false and ``1:30`` is 90.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from regimetry.errors import ConfigError, InstallError

_CORE = {
    "null": r"null|Null|NULL|~|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)"
    r"|\.(nan|NaN|NAN)",
}
"""Section 10.3.2 of the YAML 1.2 specification."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}


def import_yaml() -> Any:
    """Import PyYAML, or say what to install."""
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise InstallError("PyYAML is not installed. Run: pip install 'regimetry[fit]'.") from error
    return yaml


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a file of fields and values.

    Raises
    ------
    ConfigError
        The file is missing, no YAML, or no mapping; it repeats a key or refers to another part of
        itself.
    InstallError
        PyYAML is not installed.
    """
    yaml = import_yaml()
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _loader(yaml))
    except FileNotFoundError as error:
        raise ConfigError(f"There is no file {path}.") from error
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read ({error}).") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f", line {mark.line + 1}"
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError(f"{path}{where} is no YAML of fields and values: {reason}.") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(
            f"{path} holds {type(data).__name__} {str(data)[:40]!r}; it must hold fields and "
            "values, such as window_size: 10."
        )
    return data


def _loader(yaml: Any) -> Any:
    """Return PyYAML's safe loader with the scalars of YAML 1.2, without repeats and aliases."""

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                event = self.peek_event()
                raise yaml.composer.ComposerError(
                    None, None, f"the alias *{event.anchor} is not taken; write the value out",
                    event.start_mark,
                )  # fmt: skip
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys: set[str] = set()
            for key, _ in node.value:
                if key.value in keys if isinstance(key.value, str) else True:
                    problem = (
                        f"{key.value!r} stands there twice"
                        if isinstance(key.value, str)
                        else "a key must be a name"
                    )
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                keys.add(key.value)
            return super().construct_mapping(node, deep)

        def integer(self, node: Any) -> int:
            text = self.construct_scalar(node)
            return int(text, 0 if text[:2] in ("0o", "0x") else 10)

    for tag, pattern in _CORE.items():
        Loader.add_implicit_resolver(
            f"tag:yaml.org,2002:{tag}", re.compile(rf"(?:{pattern})\Z"), None
        )
    Loader.add_constructor("tag:yaml.org,2002:int", Loader.integer)
    return Loader


def yaml_scalar(value: Any) -> str:
    """Write plain data on one line, so that readers of YAML 1.1 and 1.2 read the same value."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(yaml_scalar, value)) + "]"
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _RESERVED:
            return value
        quoted = json.dumps(value, ensure_ascii=False)
        return "".join(c if c.isprintable() else _escaped(c) for c in quoted)
    if isinstance(value, float):
        text = repr(value)  # 1e-05 is text to readers of YAML 1.1: they ask for a point
        return text if "e" not in text or "." in text else text.replace("e", ".0e")
    return json.dumps(value)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"
