"""A project as the runs of a study find it, from its configuration."""

import posixpath
from pathlib import Path

from tunesmith.config.model import OutputsSection
from tunesmith.config.objective import ObjectiveSection as Section
from tunesmith.errors import UsageError
from tunesmith.objective.program.observing.reading import ProjectView
from tunesmith.objective.program.observing.seccomp import refusal
from tunesmith.objective.program.observing.workspace import MANY_FILES, layout

DVC_LOCK = "dvc.lock"
"""File that DVC writes into a project after each run."""


def view_of(
    root: Path, section: Section, outputs: OutputsSection, files: frozenset[str]
) -> ProjectView:
    """The view of a study that runs a program.

    Args:
        root: the project folder, resolved.
        section: of the program.
        outputs: files that a run of the study writes into the project.
        files: files that are written for each run of the program.

    Raises:
        UsageError: the project is too large to be copied for every run.
    """
    is_watched, is_shared = not unwatched(section), section.workspace.mode == "shared"
    laid_out = None
    if not is_shared or not is_watched:
        needed = _needed(section)
        laid_out = layout(root, section.workspace, files, needed, is_watched=is_watched)
    if laid_out is not None and not is_shared and len(laid_out.copies) > MANY_FILES:
        raise UsageError(
            f"objective.workspace: {len(laid_out.copies):,} files would be copied for every run."
            "\n  Name folders of data under `link`, or what is not needed under `leave_out`."
        )
    unlisted = frozenset((*outputs.paths.values(), DVC_LOCK))
    return ProjectView(
        root, None if is_shared else laid_out, unread=files, unlisted=unlisted, found=laid_out
    )


def unwatched(section: Section) -> str:
    """Reason why runs are not watched; empty if they are."""
    if section.workspace.watch == "off":
        return "`objective.workspace.watch` is off"
    return refusal()


def _needed(section: Section) -> list[str]:
    """Files that the configuration names."""
    data = () if section.data is None else section.data.path
    named = [*section.argv, *(section.depends_on or ()), *data]
    return [posixpath.normpath(name) for name in named if name]
