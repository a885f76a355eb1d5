"""Commands as one would type them where one stands."""

import posixpath
import shlex
from collections.abc import Sequence
from pathlib import Path

from tunesmith.config.names import CONFIG_NAMES
from tunesmith.pipeline.repository import Repository


def repro(repository: Repository, folder: str, names: Sequence[str]) -> str:
    """The command that runs stages of DVC's.

    Args:
        repository: whose working tree one stands in; elsewhere its top folder is assumed.
        folder: of their ``dvc.yaml``, as the repository names it.
        names: of the stages.
    """
    aside = _from_here(repository, folder)
    return shlex.join(["dvc", *([] if aside == "." else ["--cd", aside]), "repro", *names])


def named(repository: Repository, names: Sequence[str]) -> str:
    """``-c FILE`` for a configuration that our commands would not find themselves.

    Args:
        repository: whose working tree one stands in.
        names: what the configuration may be called, as the repository names it; one if it was
            named.
    """
    if len(names) != 1:
        return ""
    path = _from_here(repository, names[0])
    return "" if path in CONFIG_NAMES else f" -c {shlex.quote(path)}"


def _from_here(repository: Repository, path: str) -> str:
    root, here = repository.root.resolve(), Path.cwd()
    place = here.relative_to(root).as_posix() if here.is_relative_to(root) else "."
    return posixpath.relpath(f"/{path}", f"/{place}")
