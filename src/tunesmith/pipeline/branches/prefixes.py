"""Prefixes of the branches of experiments, read from the project's configuration."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunesmith.config.document import Document
from tunesmith.config.messages import violations_of
from tunesmith.config.prefixes import Prefixes
from tunesmith.config.source import parse_document
from tunesmith.errors import ConfigError, TunesmithError, UsageError, Violation
from tunesmith.pipeline.repository import Repository


def prefixes_of(repository: Repository, names: Sequence[str], main: str | None = None) -> Prefixes:
    """Return the prefixes in the configuration that is here, or else in the default branch's.

    A branch that began at an older commit may have a configuration without prefixes.

    Args:
        repository: to work in.
        names: possible names of configurations, as the repository names them; the first counts.
        main: the newest commit of the default branch; by default it is looked up.

    Raises:
        ConfigError: a prefix there is not valid.
    """
    for text, source in _texts(repository, names, main):
        try:
            document = parse_document(text, source)
            said = document.data.get("branches")
        # A file that cannot be read must not hide the prefixes of the default branch.
        except (TunesmithError, AttributeError):
            continue
        if said is not None:
            return _read(said, document)
    return Prefixes()


def _read(said: Any, document: Document) -> Prefixes:
    try:
        return Prefixes.model_validate(said)
    except ValidationError as error:
        violations = violations_of(error.errors(), Prefixes, said)
        raise ConfigError([_placed(v, document) for v in violations]) from None


def _placed(violation: Violation, document: Document) -> Violation:
    path = ("branches", *violation.path)
    return Violation(path, violation.message, violation.hint, document.place(path))


def _texts(
    repository: Repository, names: Sequence[str], main: str | None
) -> Iterator[tuple[str, Path]]:
    """The configuration that is here, and that of the default branch."""
    here = next((name for name in names if (repository.root / name).is_file()), None)
    if here is not None:
        yield from _decoded((repository.root / here).read_bytes(), here)
    tip = main or _main(repository)
    if tip is None:
        return
    blobs = repository.blobs([(tip, name) for name in names])
    there = next(((name, b) for name, b in zip(names, blobs, strict=True) if b), None)
    if there is not None:
        name, blob = there
        yield from _decoded(repository.contents([blob])[blob], name)


def _main(repository: Repository) -> str | None:
    name = repository.main_branch()
    tip = None if name is None else repository.tips((name,)).get(name)
    return None if tip is None else tip.commit


def _decoded(data: bytes, name: str) -> Iterator[tuple[str, Path]]:
    try:
        # Some editors on Windows begin a file with a byte order mark, which YAML would refuse.
        yield data.decode("utf-8-sig"), Path(name)
    except UnicodeDecodeError:
        return


def check_prefixes(repository: Repository, prefixes: Prefixes, default: str | None) -> None:
    """Refuse prefixes that Git does not allow, or that the default branch has.

    Raises:
        UsageError: with the reason.
    """
    problem = prefixes.blocker(default)
    names = [] if problem else prefixes.branches("x")
    for beginning, name in zip(prefixes.both, names, strict=not problem):
        if not repository.is_branch_name(name):
            problem = f"Git takes no branch that begins with `{beginning}`"
    if problem:
        raise UsageError(
            f"{problem}.\n  Choose another beginning: `branches: {{tuning: hpo/, training:"
            " train/}` in the configuration."
        )
