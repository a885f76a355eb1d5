"""Suggestions on how to pass a parameter to a program, from the program's own files."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith import registry
from tunesmith.formats import FormatError, format_of, python
from tunesmith.objective.program.passing.sources import ProgramText, SourceFile

ENVIRONMENT = r"(?:environ(?:\.get)?\s*[\[(]|getenv\s*\(|Sys\.getenv\()\s*[\"']{name}[\"']"
USUAL = ("params.yaml", "config.yaml", "conf/config.yaml", "settings.py", "config.py")


def suggestion(program: ProgramText, name: str, names: Sequence[str]) -> str:
    """Suggest the likely way for a parameter, in words; never empty.

    Args:
        program: its text.
        name: the parameter.
        names: all parameters that have no way yet; those with a place in the same file are
            included.
    """
    likely = (
        next(_options(program, name), "")
        or next(_constants(program, name, names), "")
        or next(_keys(program, name, names), "")
        or next(_variables(program, name), "")
    )
    usual = (
        "Name the file that the program reads (`params_file: params.yaml`), or write"
        f' `"--{name}={{{name}}}"` in `command`.'
    )
    return likely or usual


def _options(program: ProgramText, name: str) -> Iterator[str]:
    """Suggest an option of the command line that has the parameter's name."""
    wanted = re.compile(rf"[\"'](--{_loose(name)})\b[\"'=]", re.IGNORECASE)
    for source in program.sources:
        if match := wanted.search(source.text):
            where = program.named(source.path)
            yield f'{where} takes `{match[1]}`: write `"{match[1]}={{{name}}}"` in `command`.'


def _constants(program: ProgramText, name: str, names: Sequence[str]) -> Iterator[str]:
    """Suggest a constant of a Python module that has the parameter's name."""
    for source in program.sources:
        if source.is_python and source.path.is_relative_to(program.root):
            yield from _in_module(program, source, name, names)


def _in_module(
    program: ProgramText, source: SourceFile, name: str, names: Sequence[str]
) -> Iterator[str]:
    try:
        data = python.read(source.text)
    except FormatError:
        return
    path, place = program.named(source.path), _place(data, name)
    if place is None:
        return
    line = _line(source.text, place)
    at = f"{path}:{line}" if line else path
    more = "" if source.path.suffix == ".py" else "format: python"
    section = _section(path, data, names, more)
    yield f"{at} sets `{place}`, a constant: write `params_file: {section}`."


def _section(path: str, data: Mapping[str, Any], names: Sequence[str], more: str = "") -> str:
    """Value of ``params_file`` for all parameters that the file holds."""
    places = {name: place for name in names if (place := _place(data, name)) not in (None, name)}
    given = ", ".join(f"{name}: {place}" for name, place in places.items())
    parts = [
        f"path: {path}",
        *([more] if more else []),
        *([f"names: {{{given}}}"] if given else []),
    ]
    return f"{{{', '.join(parts)}}}" if len(parts) > 1 else path


def _line(text: str, place: str) -> int:
    try:
        return python.Module(text).constant(tuple(place.split("."))).lineno
    except FormatError:
        return 0


def _keys(program: ProgramText, name: str, names: Sequence[str]) -> Iterator[str]:
    """Suggest a key of a file that the program names."""
    usual = (program.root / name for name in USUAL)
    for path in (*program.others, *(path for path in usual if path.is_file())):
        data = _read(path)
        place = _place(data, name)
        if place is not None and path.is_relative_to(program.root):
            shown = program.named(path)
            section = _section(shown, data, names)
            yield f"{shown} has a key `{place}`: write `params_file: {section}`."


def _read(path: Path) -> Mapping[str, Any]:
    form = format_of(path.name)
    try:
        data = registry.load("formats", form).read(path.read_text()) if form else {}
    except (FormatError, OSError, UnicodeDecodeError):
        return {}
    return data if isinstance(data, Mapping) else {}


def _variables(program: ProgramText, name: str) -> Iterator[str]:
    """Suggest a variable of the environment that has the parameter's name."""
    wanted = re.compile(ENVIRONMENT.replace("{name}", f"({_loose(name)})"), re.IGNORECASE)
    shell = re.compile(rf"\$\{{?({_loose(name)})\b", re.IGNORECASE)
    for source in program.sources:
        match = wanted.search(source.text) or (
            None if source.is_python else shell.search(source.text)
        )
        if match:
            start = f'env, "{match[1]}={{{name}}}"'
            reads = f"{program.named(source.path)} reads `{match[1]}` from the environment"
            yield f"{reads}: begin `command` with `{start}`."


def _place(data: Mapping[str, Any], name: str) -> str | None:
    """Place of a value whose last key has a parameter's name; the shortest one."""
    wanted = re.compile(rf"{_loose(name)}\Z", re.IGNORECASE)
    places = [place for place in _leaves(data) if wanted.match(place.rpartition(".")[2])]
    return min(places, key=lambda place: (place != name, place.count("."), place), default=None)


def _leaves(data: Any, before: str = "") -> Iterator[str]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from _leaves(value, f"{before}.{key}" if before else str(key))
    elif before:
        yield before


def _loose(name: str) -> str:
    """Build a pattern for a name that may be written with dashes or underscores."""
    return "[-_]?".join(re.escape(part) for part in re.split(r"[-_.]", name))
