"""Options that several commands share, and how they find the study."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tunesmith.errors import UsageError

SCHEMA_VERSION = 1
CONFIG_NAMES = (
    "tuning.yaml",
    "tuning.yml",
    "tuning.json",
    "tuning.toml",
    "config/tuning_config.json",
    "config/tuning_config.yaml",
    "config/tuning.yaml",
)
F = TypeVar("F", bound=Callable[..., Any])


def config_option(function: F) -> F:
    """``-c FILE``: the configuration; by default the first usual name that exists."""
    return click.option(
        "-c",
        "--config",
        type=click.Path(path_type=Path),
        help=f"Configuration file.  [default: {CONFIG_NAMES[0]}, {CONFIG_NAMES[4]}, ...]",
    )(function)


def json_option(function: F) -> F:
    """``--json``: machine-readable output with a schema version."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def find_config(given: Path | None) -> Path:
    """The configuration file to use.

    Raises:
        UsageError: there is none.
    """
    if given is not None:
        if not given.is_file():
            raise UsageError(f"{given}: there is no such configuration file")
        return given
    for name in CONFIG_NAMES:
        if Path(name).is_file():
            return Path(name)
    raise UsageError(
        f"no configuration here (looked for {', '.join(CONFIG_NAMES)}).\n"
        "  Write one with `tunesmith init`, or name it with `-c FILE`."
    )


def print_json(kind: str, content: dict[str, Any]) -> None:
    """Print a JSON document with its kind and schema version."""
    document = {"kind": kind, "schema_version": SCHEMA_VERSION, **content}
    click.echo(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False))


def say(text: str) -> None:
    """Tell the user something that is not the result."""
    click.echo(text, err=True)
