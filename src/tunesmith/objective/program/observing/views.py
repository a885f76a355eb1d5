"""A project as the runs of a study find it, from its definition."""

import posixpath
from pathlib import Path

from tunesmith.config.model import Definition
from tunesmith.config.model import ObjectiveSection as Section
from tunesmith.errors import UsageError
from tunesmith.objective.program.observing.reading import ProjectView
from tunesmith.objective.program.observing.seccomp import refusal
from tunesmith.objective.program.observing.workspace import MANY_FILES, layout


def view_of(definition: Definition, root: Path, files: frozenset[str]) -> ProjectView:
    """The view of a study that runs a program.

    Args:
        definition: of the study.
        root: the project folder, resolved.
        files: files that are written for each run.

    Raises:
        UsageError: the project is too large to be copied for every run.
    """
    section = definition.file.objective
    is_watched, is_shared = not unwatched(section), section.workspace.mode == "shared"
    found = None
    if not is_shared or not is_watched:
        needed = _needed(section)
        found = layout(root, section.workspace, files, needed, is_watched=is_watched)
    if found is not None and not is_shared and len(found.copies) > MANY_FILES:
        raise UsageError(
            f"objective.workspace: {len(found.copies):,} files would be copied for every run."
            "\n  Name folders of data under `link`, or what is not needed under `leave_out`."
        )
    unlisted = frozenset(_unlisted(definition))
    return ProjectView(root, None if is_shared else found, files, unlisted, found=found)


def unwatched(section: Section) -> str:
    """Reason why runs are not watched; empty if they are."""
    if section.workspace.watch == "off":
        return "`objective.workspace.watch` is off"
    return refusal()


def _needed(section: Section) -> list[str]:
    """Files that the configuration names."""
    data = () if section.data is None else section.data.path
    named = [*(section.command or ()), *(section.depends_on or ()), *data]
    return [posixpath.normpath(name) for name in named if name]


def _unlisted(definition: Definition) -> list[str]:
    """Files that Tunesmith and DVC write into a project."""
    return [*map(str, definition.file.outputs.paths.values()), "dvc.lock"]
