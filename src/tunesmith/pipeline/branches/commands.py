"""Commands as one would type them where one stands."""

import posixpath
import shlex
from collections.abc import Sequence
from pathlib import Path

from tunesmith.pipeline.repository import Repository


def repro(repository: Repository, folder: str, names: Sequence[str]) -> str:
    """The command that runs stages of DVC's.

    Args:
        repository: whose working tree one stands in; elsewhere its top folder is assumed.
        folder: of their ``dvc.yaml``, as the repository names it.
        names: of the stages.
    """
    root, here = repository.root.resolve(), Path.cwd()
    place = here.relative_to(root).as_posix() if here.is_relative_to(root) else "."
    aside = posixpath.relpath(f"/{folder}", f"/{place}")
    return shlex.join(["dvc", "repro", *([] if aside == "." else ["--cd", aside]), *names])
