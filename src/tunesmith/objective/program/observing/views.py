"""A project as the runs of a study find it, from its configuration."""

import glob
import posixpath
from pathlib import Path

from tunesmith.config.ledger_place import file_of
from tunesmith.config.model import File
from tunesmith.config.objective import ObjectiveSection as Section
from tunesmith.errors import UsageError
from tunesmith.objective.program.observing.reading import ProjectView
from tunesmith.objective.program.observing.seccomp import refusal
from tunesmith.objective.program.observing.workspace import MANY_FILES, layout

DVC_LOCK = "dvc.lock"
"""File that DVC writes into a project after each run."""
BESIDE = (
    *("-wal", "-shm", "-journal", ".damaged-*"),
    *(".*.lock", ".*.journal", ".*.journal/*", ".*.stamp", ".*.check"),
)
"""Endings of what lies beside a ledger; the second ones are those of each study."""


def view_of(root: Path, file: File, files: frozenset[str]) -> ProjectView:
    """The view of a study that runs a program.

    Args:
        root: the project folder, resolved.
        file: configuration of the study: its program, outputs and ledger.
        files: files that are written for each run of the program.

    Raises:
        UsageError: the project is too large to be copied for every run.
    """
    section = file.objective
    is_watched, is_shared = not unwatched(section), section.workspace.mode == "shared"
    laid_out, of_ledger = None, _of_ledger(root, file.ledger)
    if not is_shared or not is_watched:
        needed = needed_files(section)
        # The ledger changes with every result, so nothing that a run finds may depend on it.
        leave_out = (*section.workspace.leave_out, *of_ledger)
        workspace = section.workspace.model_copy(update={"leave_out": leave_out})
        laid_out = layout(root, workspace, files, needed, is_watched=is_watched)
    if laid_out is not None and not is_shared and len(laid_out.copies) > MANY_FILES:
        raise UsageError(
            f"objective.workspace: {len(laid_out.copies):,} files would be copied for every run."
            "\n  Name folders of data under `link`, or what is not needed under `leave_out`."
        )
    unlisted = frozenset((*file.outputs.paths.values(), DVC_LOCK))
    return ProjectView(
        root,
        None if is_shared else laid_out,
        unread=files,
        unlisted=unlisted,
        of_ledger=tuple(of_ledger),
        found=laid_out,
    )


def _of_ledger(root: Path, location: str) -> list[str]:
    """Patterns of the ledger and of what lies beside it, if it is in the project."""
    place = file_of(location, root)
    if place is None or not place.resolve().is_relative_to(root):
        return []
    name = glob.escape(place.resolve().relative_to(root).as_posix())
    return [f"{name}{end}" for end in ("", *BESIDE)]


def unwatched(section: Section) -> str:
    """Reason why runs are not watched; empty if they are."""
    if section.workspace.watch == "off":
        return "`objective.workspace.watch` is off"
    return refusal()


def needed_files(section: Section) -> list[str]:
    """List the files that the configuration names."""
    data = () if section.data is None else section.data.path
    named = [*section.argv, *(section.depends_on or ()), *data]
    return [posixpath.normpath(name) for name in named if name]
