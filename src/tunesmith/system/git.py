"""Read-only commands of Git that run no code of the repository's."""

import os
import subprocess
from pathlib import Path

# Hooks, `fsmonitor` and `ext::` remotes are ways in which a repository's settings run programs,
# and `showSignature` would start gpg and add lines to the output.
GIT = (
    "git",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "safe.directory=*",
    "-c",
    "log.showSignature=false",
)
"""In containers the project often belongs to another user; its code is about to be run anyway."""
TIMEOUT_S = 20
REPOSITORY_VARIABLES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
)
"""Variables that Git sets inside its hooks; they would point away from the project."""


def answer(root: Path, *arguments: str) -> str | None:
    """Return the output of a read-only command, without white space around it.

    Args:
        root: a folder of the repository.
        arguments: of ``git``.

    Returns:
        ``None`` if the command fails, takes too long, or there is no Git.
    """
    output = _output(root, *arguments)
    return None if output is None else output.decode(errors="replace").strip()


def commit(root: Path, revision: str) -> str | None:
    """Return the full digest of the commit that a revision names; ``None`` if there is none."""
    wanted = f"{revision}^{{commit}}"
    return answer(root, "rev-parse", "--verify", "--quiet", "--end-of-options", wanted)


def content(root: Path, commit: str, name: str) -> str | None:
    """Return a file's text in a commit; ``None`` if the commit lacks the file.

    Args:
        root: a folder of the repository.
        commit: its full digest.
        name: path below ``root``.
    """
    # `textconv` would run a program of the settings, and change the text.
    output = _output(root, "show", "--no-textconv", "--end-of-options", f"{commit}:./{name}")
    return None if output is None else output.decode("utf-8-sig", errors="replace")


def paths(root: Path, *arguments: str) -> list[str] | None:
    """List the null-terminated paths (``-z``) in a command's output; ``None`` as ``answer``."""
    output = _output(root, *arguments)
    return None if output is None else [os.fsdecode(path) for path in output.split(b"\0") if path]


def _output(root: Path, *arguments: str) -> bytes | None:
    kept = {k: v for k, v in os.environ.items() if k not in REPOSITORY_VARIABLES}
    # A reading command must not lock the index: a commit of the user would fail meanwhile.
    environment = {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, arguments of ours
            [*GIT, "-C", str(root), *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=environment,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
