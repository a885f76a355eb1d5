"""A YAML file of DVC's as plain data, with a clear error if it cannot be read."""

from pathlib import Path
from typing import Any

from tunesmith.config.source import CONFLICT, parse_document
from tunesmith.errors import ConfigError, UsageError
from tunesmith.formats import FormatError, yaml

FILE, LOCK = "dvc.yaml", "dvc.lock"


def stages_in(text: str, name: str) -> dict[str, Any]:
    """The mapping under ``stages``; empty if there is none.

    Raises:
        UsageError: it is no YAML, or not of DVC's shape; with file, line and column if known.
    """
    return stages_of(document(text, name), name)


def document(text: str, name: str) -> Any:
    """Parse a file of DVC's; nothing if it is empty.

    Raises:
        UsageError: it is no YAML; with file, line and column if known.
    """
    return _data(text, name) if text.strip() else {}


def stages_of(data: Any, name: str) -> dict[str, Any]:
    """Return the same for parsed content.

    Raises:
        UsageError: it is not of DVC's shape.
    """
    stages = data.get("stages") if isinstance(data, dict) else data
    if stages is None:
        return {}
    if not isinstance(stages, dict) or not all(isinstance(s, dict) for s in stages.values()):
        raise UsageError(f"{name}: expected stages by name under `stages`.")
    return stages


def _data(text: str, name: str) -> Any:
    try:
        return parse_document(text, Path(name), Path(FILE)).data
    except ConfigError as error:
        if CONFLICT.search(text):
            raise UsageError(str(error).splitlines()[0]) from None
        # DVC reads merge keys (`<<`) and whatever else a configuration of ours may not hold.
        try:
            return yaml.read(text)
        except FormatError:
            raise error from None
