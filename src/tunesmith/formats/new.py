"""The text of a new file of parameters."""

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UsageError
from tunesmith.formats.toml import holds_null
from tunesmith.formats.yaml_text import yaml_text


def new_text(content: Mapping[str, Any], suffix: str, header: str = "") -> str:
    """Return the text of a new file.

    Args:
        content: nested mappings of JSON values.
        suffix: ``.yaml``, ``.yml``, ``.json`` or ``.toml``.
        header: a comment for the first line, if the format has comments.

    Raises:
        UsageError: TOML cannot hold a null, and there is one.

    >>> print(new_text({"params": {"C": 1.0}}, ".yaml", "Best."), end="")
    # Best.
    params:
      C: 1.0
    """
    if suffix == ".json":
        return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    if suffix == ".toml":
        return _toml(content)
    return (f"# {header}\n" if header else "") + yaml_text(dict(content))


def _toml(content: Mapping[str, Any]) -> str:
    import tomlkit

    if name := _null_in(content):
        raise UsageError(
            f"a TOML file has no null, but the best `{name}` holds one. Name a .yaml or .json file."
        )
    return tomlkit.dumps(content)


def _null_in(content: Mapping[str, Any]) -> str:
    """The key of the innermost mapping whose value holds a null; empty if none does."""
    for key, value in content.items():
        if isinstance(value, dict) and (inner := _null_in(value)):
            return inner
        if holds_null(value):
            return str(key)
    return ""
