"""Git, called in a folder: no shell, no prompt, and no code that the repository names.

``run`` is the only place that starts a command and waits for it. The functions after it only read.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tunesmith.errors import StorageError, UsageError

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
# A prompt would hang a CI job. Callers match messages, so these have to be English (`LC_ALL=C`).
FIXED = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
# A reading command must not lock the index: a commit of the user would fail meanwhile.
READING = {"GIT_OPTIONAL_LOCKS": "0"}


class GitError(UsageError):
    """Git refused; the text is the reason that it gave.

    Args:
        message: for the user.
        said: all that Git has printed.
    """

    def __init__(self, message: str, said: str = "") -> None:
        super().__init__(message)
        self.said = said


def run(
    root: Path,
    *arguments: str,
    given: bytes = b"",
    more: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> bytes:
    """Return the output of a command.

    Args:
        root: folder of the call.
        arguments: of ``git``.
        given: standard input.
        more: further environment variables.
        timeout_s: seconds until it is given up.

    Raises:
        GitError: Git refused.
        UsageError: there is no Git.
        StorageError: it takes too long, or the system cannot start it.
    """
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, no shell
            [*GIT, "-C", str(root), *arguments],
            capture_output=True,
            input=given,
            env=variables(more or {}),
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError:
        raise UsageError("there is no Git here: install it.") from None
    except subprocess.TimeoutExpired:
        raise StorageError(f"git {arguments[0]} did not end in {timeout_s:g} s") from None
    except OSError as error:
        raise StorageError(f"git {arguments[0]} cannot be started: {error.strerror}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace")
        raise GitError(reason(said), said)
    return done.stdout


def variables(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a call: nothing in it leads to another repository or prompts."""
    kept = {k: v for k, v in os.environ.items() if k not in REPOSITORY_VARIABLES}
    return {**kept, **FIXED, **more}


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
    try:
        return run(root, *arguments, more=READING)
    except (UsageError, StorageError):
        return None


UNTELLING = re.compile(
    r"hint:|fatal: the remote end hung up|fatal: Could not read from remote"
    r"|Please make sure you have the correct access|and the repository exists"
)
"""Beginnings of lines that Git adds to the one that gives the reason."""


def reason(said: str) -> str:
    """Return the line of Git's output that gives the reason.

    >>> reason("To x\\n ! [rejected] a -> a (fetch first)\\nerror: failed\\nhint: See")
    '[rejected] a -> a (fetch first)'
    >>> reason("fatal: 'x' is no repository\\nfatal: Could not read from remote repository.")
    "'x' is no repository"
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    # A refused push ends with general lines; the line of the branch holds the reason.
    rejected = [line.removeprefix("! ") for line in lines if line.startswith("! [")]
    told = [line for line in lines if not UNTELLING.match(line)] or lines
    line_of_reason = (rejected or told[-1:] or ["no reason given"])[0]
    return " ".join(line_of_reason.removeprefix("fatal: ").removeprefix("error: ").split())
