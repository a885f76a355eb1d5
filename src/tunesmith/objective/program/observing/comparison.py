"""Files of a project that another machine must have, to run the same program there."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from tunesmith.objective.program.observing.installed_files import is_package
from tunesmith.objective.program.observing.reading import ProjectView
from tunesmith.objective.program.observing.states import FILE, PROGRAM
from tunesmith.objective.program.observing.workspace import OF_DVC, is_beneath
from tunesmith.system import git
from tunesmith.system.fingerprint import digest

MOST_NAMES = 300
"""Number of files above which folders are compared as a whole."""


def project_states(
    view: ProjectView, source: Path | None, named: Collection[str], *, is_watched: bool
) -> dict[str, str]:
    """Return the states of all files of a project that its programs may read.

    Files that Git neither tracks nor ignores are left out, since logs of jobs are among them, and
    so are DVC's cache and local settings: the reading of each run tells if it has read one. Without
    a watch, all files count.

    Args:
        view: of the project.
        source: folder with copies of its files, if they were kept.
        named: files that the configuration names; they count in any case.
        is_watched: true if runs tell what they read.

    Returns:
        State by name; by the first folder, followed by ``/``, if there are many files.
    """
    view = replace(view, source=source)
    if not is_watched:
        return _in_short(view.everything())
    others = git.paths(view.root, "ls-files", "-o", "--exclude-standard", "-z", "--", ".") or ()
    hidden = view.unread | view.unlisted | (frozenset(others) - frozenset(named))
    names = (name for name in view.files() if name not in hidden and not is_beneath(name, OF_DVC))
    counted = (name for name in names if not is_package(name, str(view.root)))
    return _in_short({name: view.state(name, f"{FILE}{PROGRAM}") for name in counted})


def _in_short(states: Mapping[str, str]) -> dict[str, str]:
    if len(states) <= MOST_NAMES:
        return dict(states)
    tops: dict[str, list[tuple[str, str]]] = {}
    for name, state in sorted(states.items()):
        top, inner, _ = name.partition("/")
        tops.setdefault(f"{top}{inner}", []).append((name, state))
    return {top: digest(inside) for top, inside in tops.items()}
