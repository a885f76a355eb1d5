"""A run's own ``.git``: programs can ask Git, and even commit, and the project stays as it is.

It holds copies of the files of the repository, such as ``HEAD`` and ``index``, and links to its
folders, which become private when the run writes into them. Git then takes the run's folder for the
top of the working tree, and tells the commit that the project is at.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tunesmith.objective.program.observing.copying import copy_content

GIT, REFS = ".git", "refs"
OF_WORKTREE = ("commondir", "gitdir", "locked")
"""Files by which Git finds a linked working tree again: they would lead it to the run's folder."""
WORKTREE = re.compile(r"^[ \t]*worktree[ \t]*=.*\n?", re.MULTILINE)
"""Setting of a submodule's repository that leads back to the project's files."""


def repository(entry: str) -> tuple[str, str] | None:
    """Find the folder of a repository, and the one that it shares with other working trees.

    Args:
        entry: path of a ``.git``, a folder or a file.

    Returns:
        Both, free of links; they differ for a linked working tree. ``None`` if there is none.
    """
    folder = entry
    try:
        if os.path.isfile(entry):  # noqa: PTH113 - hot
            folder = os.path.join(  # noqa: PTH118
                os.path.dirname(entry),  # noqa: PTH120
                Path(entry).read_text().partition("gitdir:")[2].strip(),
            )
        if not os.path.isfile(f"{folder}/HEAD"):  # noqa: PTH113
            return None
        common = folder
        if os.path.isfile(f"{folder}/commondir"):  # noqa: PTH113
            common = os.path.join(folder, Path(f"{folder}/commondir").read_text().strip())  # noqa: PTH118
    except (OSError, ValueError):
        return None
    return os.path.realpath(folder), os.path.realpath(common)


def folders_of(root: Path) -> Iterator[str]:
    """Folders of the repository that a project lies in: nothing may write into them."""
    for folder in (root, *root.parents):
        found = repository(f"{folder}/{GIT}")
        if found is not None:
            yield from found
            return


def give(entry: str, place: str) -> None:
    """Make a run's own ``.git``; nothing is done if there is no repository.

    Args:
        entry: the repository's ``.git``.
        place: path of the run's own, which does not exist yet.

    Raises:
        OSError: it cannot be made.
    """
    found = repository(entry)
    if found is None:
        return
    folder, common = found
    os.mkdir(place)  # noqa: PTH102 - hot
    for name in os.listdir(common):  # noqa: PTH208 - hot
        if name == REFS:
            # GitPython refuses references that a link leads to.
            shutil.copytree(f"{common}/{name}", f"{place}/{name}", copy_function=shutil.copyfile)
        elif os.path.isdir(f"{common}/{name}"):  # noqa: PTH112 - hot
            os.symlink(f"{common}/{name}", f"{place}/{name}")  # noqa: PTH211 - hot
    for source in dict.fromkeys((common, folder)):
        for name in os.listdir(source):  # noqa: PTH208 - hot
            is_lock = name.endswith(".lock") or name in OF_WORKTREE
            if os.path.isfile(f"{source}/{name}") and not is_lock:  # noqa: PTH113 - hot
                copy_content(Path(source, name), Path(place, name))
    config = Path(place, "config")
    if config.is_file():
        config.write_text(WORKTREE.sub("", config.read_text()))
