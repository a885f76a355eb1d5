"""Reading of a file into a ``Definition``, or into all its violations at once."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from tunesmith.config.document import Document
from tunesmith.config.messages import show, violations_of
from tunesmith.config.model import Definition, File
from tunesmith.config.rules import check_rules
from tunesmith.config.salvage import is_touched, salvage
from tunesmith.config.source import read_document
from tunesmith.errors import ConfigError, FilePosition, Path, UsageError, Violation, dotted
from tunesmith.space import SearchSpace
from tunesmith.space.parse import parse_space
from tunesmith.space.python import as_written
from tunesmith.system.redact import spare, texts

OVERRIDES = {
    "trials": ("stop", "trials"),
    "time": ("stop", "time"),
    "seed": ("search", "seed"),
    "workers": ("execution", "workers"),
    "executor": ("execution", "executor"),
}


def load_definition(
    path: FilePath | str,
    *,
    root: FilePath | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Definition:
    """Read a configuration file. Nothing that it names is imported.

    Args:
        path: YAML, JSON or TOML, by its suffix.
        root: the project folder, to which paths in the file are relative; by default the file's
            own, or the one above if that is named ``config`` or ``studies``.
        overrides: values of ``OVERRIDES`` by name; ``None`` leaves the file's value.

    Raises:
        ConfigError: every violation, in file order, with file:line:column.
        UsageError: the file cannot be read.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> text = '''{study: s, space: {C: [0.1, 1.0]}, search: {method: grid}, objective: {
        ...   estimator: sklearn.svm.SVC, data: {path: a.csv, target: y}, metric: accuracy}}'''
        >>> with TemporaryDirectory() as folder:
        ...     _ = (path := FilePath(folder) / "tuning.yaml").write_text(text)
        ...     load_definition(path).file.search.method
        'grid'
    """
    document = read_document(path := FilePath(path))
    folder = root or project_root(path)
    _check_sections(document, path, folder)
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    data = with_overrides(document.data, given)
    in_space, violations = list[Violation](), list[Violation]()
    # The space first, because rules of other sections look at its parameters.
    space = _space(data.get("space"), folder, in_space)
    sections = _sections(data)
    file = _file(sections, space, folder, violations, _inputs(data, path, folder))
    # Names of outputs are checked as paths, with everything that a path must not be.
    violations += [*in_space, *_null_bytes({**sections, "outputs": None})]
    if violations or file is None or space is None:
        # Options first: what was typed on the command line stands in no line of the file.
        broken = [_placed(_from_option(v, given), document) for v in violations]
        raise ConfigError(in_order(broken))
    _spare_words(file, space)
    return Definition(file=file, space=space, root=folder, source=path)


def _check_sections(document: Document, path: FilePath, folder: FilePath) -> None:
    if not isinstance(document.data, Mapping):
        given_data = "an empty file" if document.data is None else show(document.data)
        message = f"expected sections (study, objective, space, …), found {given_data}."
        hint = _how_to_begin(path, folder, is_empty=document.data is None)
        raise ConfigError([Violation((), message, hint, FilePosition(str(path), 1))])


def _inputs(data: Mapping[str, Any], path: FilePath, folder: FilePath) -> dict[str, FilePath]:
    """Return the files that no output may replace: the study is defined by them."""
    inputs = {"the configuration itself": path}
    if isinstance(data.get("space"), str):
        inputs["the space's file"] = folder / data["space"]
    return inputs


def _null_bytes(data: Any, path: Path = ()) -> Iterator[Violation]:
    """Yield texts with a character that ends paths and arguments for the system."""
    if isinstance(data, str):
        if "\0" in data:
            yield Violation(path, "holds a null byte, which no path and no argument may hold.")
    elif isinstance(data, Mapping | list):
        items = data.items() if isinstance(data, Mapping) else enumerate(data)
        for key, value in items:
            yield from _null_bytes(value, (*path, key))


def _how_to_begin(path: FilePath, folder: FilePath, *, is_empty: bool) -> str:
    """Return the remedy for a file without sections; only an empty one may be overwritten."""
    is_written_by_init = path.name == "tuning.yaml" and path.absolute().parent == folder.absolute()
    if not (is_empty and is_written_by_init):
        return "`tunesmith schema` describes the sections."
    place = "" if path.parent == FilePath() else f" {shlex.quote(str(path.parent))}"
    return f"`tunesmith init{place} --force` writes a first configuration over it."


def _from_option(violation: Violation, given: Mapping[str, Any]) -> Violation:
    """Point to the command line if the violation comes from an option, not from the file."""
    for name in given:
        if violation.path == OVERRIDES[name]:
            return replace(violation, path=(), place=FilePosition(f"--{name}"))
    return violation


NAMED = re.compile(r"^([a-z_]+(?:\.\w+)*)(?=: )", re.MULTILINE)


def located(error: UsageError, source: FilePath) -> UsageError:
    """Return the error with file:line:column before the keys that its lines begin with.

    Checks of the data or the estimator do not know the file's positions.
    """
    positions = read_document(source).positions

    def place(match: re.Match[str]) -> str:
        given = tuple(match[1].split("."))
        # Checks of the objective name its keys without `objective.` before them.
        for path, n_least in ((given, 1), (("objective", *given), 2)):
            if path[:n_least] in positions.keys:
                return f"{FilePosition(str(source), *positions.find(path))}: {dotted(path)}"
        return match[1]

    # The class stays, because it decides the exit code.
    return type(error)(NAMED.sub(place, str(error)))


def raise_violations(definition: Definition, violations: Sequence[Violation]) -> None:
    """Refuse a definition for what only its project's files could tell.

    Args:
        definition: of the study.
        violations: their paths as in a file; a parameter's is ``("space", name)``.

    Raises:
        ConfigError: there are violations; each with its file:line:column if there is a file.
    """
    if not violations:
        return
    if definition.source is None:
        raise ConfigError(violations)
    document = read_document(definition.source)
    space = document.data.get("space")
    of_space = read_document(definition.root / space) if isinstance(space, str) else document
    raise ConfigError(in_order([_placed(_of_file(v, of_space), document) for v in violations]))


def _of_file(violation: Violation, document: Document) -> Violation:
    """A parameter's violation with its place, in whichever of the written forms its space has."""
    if violation.path[:1] != ("space",):
        return violation
    name = violation.path[-1]
    nests = [p for p in document.positions.keys if p[-1:] == (name,) and _is_in_space(p[:-1])]
    return replace(violation, place=document.place(nests[0])) if nests else violation


def _is_in_space(path: Path) -> bool:
    """Tell whether a path is a box: ``space``, ``space.parameters``, or an item of one of them."""
    return all(isinstance(key, int) or key in ("space", "parameters") for key in path)


def define(data: Mapping[str, Any], *, root: FilePath | str = ".") -> Definition:
    """Build a definition from Python: the sections of a configuration file.

    Args:
        data: as in a file; ``space`` may also be a ``SearchSpace`` or hold scipy distributions.
        root: the project folder, to which paths are relative.

    Raises:
        ConfigError: every violation.
        UsageError: an object in the space cannot be searched.

    Examples:
        >>> definition = define(
        ...     {
        ...         "study": "iris",
        ...         "objective": {
        ...             "estimator": "sklearn.svm.SVC",
        ...             "data": {"path": "iris.csv", "target": "target"},
        ...             "metric": "accuracy",
        ...         },
        ...         "space": {"C": {"float": [0.01, 100], "log": True}},
        ...         "stop": {"trials": 30},
        ...     }
        ... )
        >>> definition.file.study, definition.space.names
        ('iris', ['C'])
    """
    violations: list[Violation] = []
    folder, given = FilePath(root), data.get("space")
    if isinstance(given, SearchSpace):
        space: SearchSpace | None = given
    else:
        written = as_written(given) if isinstance(given, Mapping | list | tuple) else given
        space = _space(written, folder, violations)
    file = _file(_sections(data), space, folder, violations)
    if violations or file is None or space is None:
        raise ConfigError(violations)
    _spare_words(file, space)
    return Definition(file=file, space=space, root=folder)


def _spare_words(file: File, space: SearchSpace) -> None:
    """Exempt the words of a study from redaction, because they stand in reports."""
    objective = file.objective
    words = [file.study, *texts(space.to_json()), *texts(objective.params)]
    spare([*words, *(metric.name for metric in (*objective.metric, *objective.also))])


def _sections(data: Mapping[str, Any]) -> dict[str, Any]:
    # Editors find the schema by `$schema`, which is no section of a study.
    return {key: value for key, value in data.items() if key not in ("space", "$schema")}


def project_root(path: FilePath) -> FilePath:
    """Return the project folder of a configuration file, whatever the current folder."""
    folder = path.absolute().parent
    return folder.parent if folder.name in ("config", "studies") else folder


def with_overrides(data: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data with command-line options put into their sections."""
    changed = dict(data)
    for name, value in overrides.items():
        if value is not None:
            section, key = OVERRIDES[name]
            before = changed.get(section)
            changed[section] = {**(before if isinstance(before, Mapping) else {}), key: value}
    return changed


def _space(data: Any, root: FilePath, violations: list[Violation]) -> SearchSpace | None:
    if data is None:
        hint = "Say what may vary, e.g. `space: {max_depth: {int: [3, 20]}}`."
        violations.append(Violation(("space",), "is missing.", hint))
        return None
    if isinstance(data, str):
        return _space_file(data, root, violations)
    space, problems = parse_space(data)
    violations += [Violation(("space", *v.path), v.message, v.hint) for v in problems]
    return space


def _space_file(name: str, root: FilePath, violations: list[Violation]) -> SearchSpace | None:
    """A space in a file of its own, such as a scikit-learn ``param_grid`` in JSON."""
    path = root / name
    if not path.is_file():
        hint = "Paths begin at the project's folder."
        violations.append(Violation(("space",), f"there is no file {name} in {root}.", hint))
        return None
    try:
        document = read_document(path)
    except ConfigError as error:
        violations += [_named(violation, name) for violation in error.violations]
        return None
    except UsageError as error:
        violations.append(Violation(("space",), str(error).replace(str(path), name)))
        return None
    space, problems = parse_space(document.data)
    shown = Document(document.data, document.positions, name)
    violations += [_placed(violation, shown) for violation in problems]
    return space


def _named(violation: Violation, name: str) -> Violation:
    place = violation.place or FilePosition(name)
    return replace(violation, place=replace(place, file=name))


def _file(
    sections: Mapping[str, Any],
    space: SearchSpace | None,
    root: FilePath,
    violations: list[Violation],
    inputs: Mapping[str, FilePath] = MappingProxyType({}),
) -> File | None:
    touched: set[Path] = set()
    try:
        file: File | None = File.model_validate(sections)
    except ValidationError as error:
        # Rules are checked on the valid rest, so that you see all mistakes at once.
        violations += violations_of(error.errors(), File, sections)
        file, touched = salvage(sections, error)
    if file is not None:
        broken = check_rules(file, space, root, inputs)
        # A rule about a repaired place speaks of a value that nobody wrote.
        violations += [v for v in broken if not is_touched(v.path, touched)]
    return file


def _placed(violation: Violation, document: Document) -> Violation:
    if violation.place is not None:
        return violation
    place = document.place(violation.path)
    return Violation(violation.path, violation.message, violation.hint, place)


def in_order(violations: list[Violation]) -> list[Violation]:
    """Sorted by place, without repeats."""

    def key(violation: Violation) -> tuple[str, int, int]:
        place = violation.place or FilePosition("")
        return place.file, place.line, place.column

    # Branches of a union, and rules of several sections, may report the same mistake.
    return sorted(dict.fromkeys(violations), key=key)
