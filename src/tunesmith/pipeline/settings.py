"""Edits of a configuration's text: values are set, everything else stays as it is."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tunesmith.formats import format_of, yaml, yaml_blocks
from tunesmith.formats import json as json_format
from tunesmith.formats import toml as toml_format


def with_values(text: str, source: Path, values: Mapping[tuple[str, ...], Any]) -> str:
    """Return the text with keys of sections set.

    Args:
        text: of the configuration.
        source: its file; the suffix tells the format.
        values: by section and key; ``None`` takes the key out.

    Raises:
        FormatError: the text cannot be changed so without changing something else.

    >>> with_values("study: a  # mine\\n", Path("a.yaml"), {("branches", "tuning"): "hpo/"})
    'study: a  # mine\\nbranches:\\n  tuning: hpo/\\n'
    """
    form = format_of(source.name)
    if form != "yaml":
        if form == "json":
            return json_format.update(text, dict(values))
        kept = {at: value for at, value in values.items() if value is not None}
        return _without(toml_format.update(text, kept), values.keys() - kept.keys())
    content = yaml.read(text)
    for (section, key), value in values.items():
        merged = {**(content.get(section) or {}), key: value}
        content[section] = {name: item for name, item in merged.items() if item is not None}
    return yaml_blocks.rewrite(text, content)


def _without(text: str, places: Iterable[tuple[str, ...]]) -> str:
    """Return a TOML document without some keys: TOML has no null."""
    import tomlkit

    document: Any = tomlkit.parse(text)
    for section, key in places:
        del document[section][key]
    return tomlkit.dumps(document)
