"""Sentences on the dependencies of a study's results and on the isolation of its runs."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tunesmith.objective.program.observing.isolation import Watching
from tunesmith.objective.program.observing.workspace import WorkspaceLayout

SHOWN = 3


def dependence(watching: Watching, depends: Sequence[Path]) -> Iterator[str]:
    """Describe everything that counts for results, the isolation of runs, and files that they lack.

    Args:
        watching: of the study.
        depends: files that ``depends_on`` names.
    """
    layout, root = watching.view.layout, watching.view.root
    beside = _also([path.relative_to(root).as_posix() for path in depends])
    if watching.problem:
        yield f"runs are not watched: {watching.problem}"
        yield (
            "results depend on all files that a run finds"
            f"{beside}: when one changes, what was evaluated no longer counts"
        )
    else:
        yield (
            "results depend on the files that each run is seen to read or look for"
            f"{beside}: when one changes, what was evaluated no longer counts"
        )
    yield (
        "not seen, and not counted: installed packages, the system, hidden folders of your home,"
        " the network, environment variables of your shell, what other programs do for a run"
        " (servers, containers)"
    )
    if layout is not None:
        yield from isolation(watching, layout)


def isolation(watching: Watching, layout: WorkspaceLayout) -> Iterator[str]:
    """Describe the isolation of runs, and the ignored files that they get or lack."""
    if watching.problem:
        yield (
            "runs work in copies, of all that DVC's stages write, too; linked files are compared"
            " after each run, and the study stops at the first change"
        )
    else:
        yield (
            "runs work in copies; what is linked is copied when a run is about to write it, and"
            " changes of the project, of shared files and of DVC's cache are refused"
        )
    if layout.asked:
        yield f"linked as `link` asks, whoever wrote it: {_list(layout.asked)}"
    if layout.left:
        yield (
            f"left out of runs, since Git ignores it: {_list(layout.left)}; what programs read"
            " is named as `objective.workspace.link`"
        )


def _also(names: Sequence[str]) -> str:
    return f", and on {_list(names)} (`depends_on`)" if names else ""


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
