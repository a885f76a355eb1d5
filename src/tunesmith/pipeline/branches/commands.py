"""Commands as you would type them in the current folder."""

import posixpath
import shlex
from collections.abc import Sequence
from pathlib import Path

from tunesmith.config.names import CONFIG_NAMES
from tunesmith.pipeline.repository import Repository


def repro(repository: Repository, folder: str, names: Sequence[str]) -> str:
    """The command that runs stages of DVC's.

    Args:
        repository: its working tree, if it holds the current folder; else its top folder is
            assumed.
        folder: of their ``dvc.yaml``, as the repository names it.
        names: of the stages.
    """
    aside = _from_here(repository, folder)
    return shlex.join(["dvc", *([] if aside == "." else ["--cd", aside]), "repro", *names])


def named(repository: Repository, names: Sequence[str]) -> str:
    """``-c FILE`` for a configuration that our commands would not find themselves.

    Args:
        repository: its working tree may hold the current folder.
        names: possible names of the configuration, relative to the repository; a single one if the
            user named it.
    """
    if len(names) != 1:
        return ""
    path = _from_here(repository, names[0])
    return "" if path in CONFIG_NAMES else f" -c {shlex.quote(path)}"


def _from_here(repository: Repository, path: str) -> str:
    # `Path.cwd()` never has links in it, so the root must have none either.
    root, here = repository.root.resolve(), Path.cwd()
    place = here.relative_to(root).as_posix() if here.is_relative_to(root) else "."
    # Absolute, because `relpath` would put the real current folder before relative paths.
    return posixpath.relpath(f"/{path}", f"/{place}")
