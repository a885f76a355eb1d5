"""Options that several commands share, and how they find the study."""

import json
import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from tunesmith.cli.common.streams import is_utf8, show
from tunesmith.config.names import CONFIG_NAMES
from tunesmith.errors import ConfigError, UsageError, Violation
from tunesmith.system.ci_commands import inert_json, is_ci

SCHEMA_VERSION = 1
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


def force_option(function: F) -> F:
    """``--force FILE``: outputs that may replace what somebody else wrote."""
    return click.option(
        "--force",
        metavar="FILE",
        multiple=True,
        help="Replace this output even if Tunesmith did not write it. May be given repeatedly.",
    )(function)


def find_config(given: Path | None) -> Path:
    """Find the configuration file to use.

    Raises:
        UsageError: there is none.
    """
    if given is None:
        return _usual_config()
    if given.is_dir():
        inside = first_config(given)
        hint = f"\n  Did you mean `-c {inside}`?" if inside else ""
        raise UsageError(f"{given}: is a folder; name the configuration file in it.{hint}")
    if not given.exists():
        raise UsageError(f"{given}: there is no such configuration file.")
    return given


def _usual_config() -> Path:
    usual = first_config(Path())
    if usual is not None:
        return usual
    above = next(filter(None, map(first_config, Path.cwd().parents)), None)
    hint = "Write one with `tunesmith init`, or name it with `-c FILE`."
    if above is not None:
        hint = f"There is one in a folder above: `-c {above}`."
    looked = f"looked for {', '.join(CONFIG_NAMES)}"
    raise UsageError(f"no configuration in this folder ({looked}).\n  {hint}")


def first_config(folder: Path) -> Path | None:
    """Return the configuration that commands in a folder take by default, if it is there."""
    return next((folder / name for name in CONFIG_NAMES if (folder / name).is_file()), None)


def naming_option(config: Path, root: Path) -> str:
    """Return the option by which a command in the project folder takes this configuration.

    Returns:
        `` -c FILE``, or nothing if the command would take it anyway.
    """
    usual = first_config(root)
    if usual is not None and usual.samefile(config):
        return ""
    # Jobs work in the project folder, wherever the command that writes them was called.
    near = Path(os.path.relpath(config.resolve(), root.resolve())).as_posix()
    return f" -c {shlex.quote(near)}"


@contextmanager
def pointing_into(config: Path) -> Iterator[None]:
    """Put file:line:column before the keys that an error from further down names."""
    from tunesmith.config.load import located

    try:
        yield
    # It has its places already, and is a UsageError as well.
    except ConfigError:
        raise
    except UsageError as error:
        raise located(error, config) from None


@contextmanager
def telling_all(config: Path) -> Iterator[None]:
    """Add to an error what else is wrong with the configuration, its table and its estimator."""
    try:
        yield
    except UsageError as error:
        from tunesmith.runs.mistakes import further_mistakes

        said = str(error)
        # The later checks start anew, and may find the first mistake again.
        more = [text for text in further_mistakes(config) if text.splitlines()[0] not in said]
        if not more:
            raise
        if isinstance(error, ConfigError):
            added = [Violation((), text) for text in more]
            raise ConfigError([*error.violations, *added]) from None
        raise UsageError("\n".join([said, *more])) from None


def print_json(kind: str, content: dict[str, Any]) -> None:
    """Print a JSON document with its kind and schema version."""
    document = {"kind": kind, "schema_version": SCHEMA_VERSION, **content}
    # NaN is no JSON: a strict reader would refuse the whole document.
    text = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=not is_utf8())
    show(inert_json(text) if is_ci() else text)


def shown(path: Path) -> str:
    """Return a path as you would type it here."""
    folder = Path.cwd()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)
