"""Prefixes of branches, as options of ``tunesmith ci init``."""

from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.cli.common.streams import say
from tunesmith.config.prefixes import Prefixes
from tunesmith.errors import UsageError

if TYPE_CHECKING:
    from tunesmith.pipeline.dvc.places import StageOfStudy
    from tunesmith.pipeline.repository import Repository
    from tunesmith.system.files import NewFile


def chosen_prefixes(before: Prefixes, tuning: str | None, training: str | None) -> Prefixes:
    """Return the prefixes that the options set; those of before if they set none.

    Raises:
        UsageError: they are not valid; with every reason at once.
    """
    from pydantic import ValidationError

    given = {"tuning": tuning, "training": training}
    named = {key: value for key, value in given.items() if value is not None}
    if not named:
        return before
    try:
        return Prefixes(**{**before.model_dump(), **named})
    except ValidationError as error:
        raise UsageError("\n".join(map(_reason, error.errors()))) from None


def _reason(detail: object) -> str:
    assert isinstance(detail, dict)  # noqa: S101 - of pydantic's
    option = "".join(f"--{key}-prefix: " for key in detail["loc"])
    # pydantic puts these words before the message of every ValueError.
    return f"{option}{str(detail['msg']).removeprefix('Value error, ')}."


def remembered(path: Path, before: Prefixes, after: Prefixes) -> "NewFile | None":
    """Return the configuration with new prefixes; ``None`` if it has them already.

    Raises:
        UsageError: its text cannot be changed so; with what to write by hand.
    """
    from tunesmith.formats import FormatError
    from tunesmith.pipeline.settings import with_values
    from tunesmith.system.files import NewFile, exact_text

    old, new = before.model_dump(), after.model_dump()
    changed = {key: value for key, value in new.items() if value != old[key]}
    text = exact_text(path)
    if not changed or text is None:
        return None
    values: dict[tuple[str, ...], str] = {("branches", key): v for key, v in changed.items()}
    try:
        return NewFile(path, with_values(text, path, values))
    except FormatError as error:
        said = ", ".join(f"{key}: {value}" for key, value in changed.items())
        raise UsageError(f"{path}: {error}.\n  Set by hand: branches: {{{said}}}") from None


def say_changed(stage: "StageOfStudy | None", folder: Path) -> None:
    """Warn that DVC will run the stage again because the configuration has changed.

    Args:
        stage: the stage that runs the study, if there is one.
        folder: of its ``dvc.yaml``.
    """
    from tunesmith.pipeline.dvc.agreement import repro

    if stage is not None:
        again = repro(folder, [stage.stage.name])
        say(f"DVC sees another configuration: `{again}` evaluates nothing, and takes note of it.")


def say_left(repository: "Repository", before: Prefixes, after: Prefixes) -> None:
    """Name the branches that no longer belong to an experiment."""
    if before == after:
        return
    branches = repository.local_branches()
    ways = [
        f"`git branch -m {branch} {new}{name}`"
        for branch in branches
        for old, new in zip(before.both, after.both, strict=True)
        if old != new and (name := branch.removeprefix(old)) and branch.startswith(old)
    ]
    if ways:
        say(f"These branches belong to no experiment any more: {', '.join(ways)}.")
