"""A project as the runs of a study find it, from its definition."""

from pathlib import Path

from tunesmith.config.model import Definition
from tunesmith.config.model import Objective as Section
from tunesmith.objective.program.reading import View
from tunesmith.objective.program.seccomp import objection
from tunesmith.objective.program.workspace import layout


def view_of(definition: Definition, root: Path, files: frozenset[str]) -> View:
    """The view of a study that runs a program.

    Args:
        definition: of the study.
        root: the project folder, resolved.
        files: that are written for each run.

    Raises:
        UsageError: the project is too large to be copied for every run.
    """
    section = definition.file.objective
    found = None
    if section.workspace.mode != "shared":
        is_watched = not unwatched(section)
        needed = _needed(section)
        found = layout(root, section.workspace, files, needed, is_watched=is_watched)
    return View(root, found, files, frozenset(_unlisted(definition)))


def unwatched(section: Section) -> str:
    """Why runs are not watched; empty if they are."""
    if section.workspace.watch == "off":
        return "`objective.workspace.watch` is off"
    return objection()


def _needed(section: Section) -> list[str]:
    """Files that the configuration names."""
    data = () if section.data is None else section.data.path
    return [*(section.command or ()), *(section.depends_on or ()), *data]


def _unlisted(definition: Definition) -> list[str]:
    """What Tunesmith and DVC write into a project."""
    return [*map(str, definition.file.outputs.paths.values()), "dvc.lock"]
