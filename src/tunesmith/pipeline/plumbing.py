"""Git, called in a folder: no shell, no prompt, no hook, no repository from the environment."""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tunesmith.errors import StorageError, UsageError
from tunesmith.system import faults
from tunesmith.system.git import GIT, REPOSITORY_VARIABLES, TIMEOUT_S

# A prompt would hang a CI job. Pathspecs are literal, or a file named `[a].csv` would mean
# `a.csv`. Messages are matched below, so that they have to be English (`LC_ALL=C`).
FIXED = {"GIT_TERMINAL_PROMPT": "0", "GIT_LITERAL_PATHSPECS": "1", "LC_ALL": "C"}


class GitError(UsageError):
    """Git refused; the text is what it said.

    Args:
        message: for the user.
        said: all that Git has printed.
    """

    def __init__(self, message: str, said: str = "") -> None:
        super().__init__(message)
        self.said = said


@dataclass(frozen=True)
class Plumbing:
    """Calls of Git in one folder."""

    root: Path
    """Folder of the calls."""

    def _try(self, *arguments: str, strip: bool = True) -> str | None:
        try:
            return self._run(*arguments, strip=strip)
        except GitError:
            return None

    def _run(
        self,
        *arguments: str,
        given: str | None = None,
        more: Mapping[str, str] | None = None,
        strip: bool = True,
        timeout_s: float = TIMEOUT_S,
    ) -> str:
        data = (given or "").encode()
        output = self._bytes(*arguments, given=data, more=more, timeout_s=timeout_s)
        text = output.decode(errors="replace")
        return text.strip() if strip else text

    def _bytes(
        self,
        *arguments: str,
        given: bytes = b"",
        more: Mapping[str, str] | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> bytes:
        try:
            faults.reach("git.call")
            done = subprocess.run(  # noqa: S603 - a fixed program, no shell
                [*GIT, "-C", str(self.root), *arguments],
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
        faults.reach("git.called")
        if done.returncode:
            said = done.stderr.decode(errors="replace")
            raise GitError(reason(said), said)
        return done.stdout

    def contents(self, blobs: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of many blobs, by one call."""
        # Answers come in the order of the requests, each once.
        wanted = sorted(set(blobs))
        if not wanted:
            return {}
        given = "".join(f"{blob}\n" for blob in wanted).encode()
        data, by_blob, place = self._bytes("cat-file", "--batch", given=given), {}, 0
        for blob in wanted:
            end = data.index(b"\n", place)
            size = int(data[place:end].rsplit(b" ", 1)[1])
            by_blob[blob] = data[end + 1 : end + 1 + size]
            # The content is followed by a line break that its size does not count.
            place = end + size + 2
        return by_blob

    def is_ancestor(self, earlier: str, later: str) -> bool:
        """Tell whether the later commit holds the earlier one."""
        return self._try("merge-base", "--is-ancestor", earlier, later) is not None


def variables(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a call: nothing in it leads to another repository or prompts."""
    # Git sets them for its hooks: a run from a hook would work on another repository.
    kept = {k: v for k, v in os.environ.items() if k not in REPOSITORY_VARIABLES}
    return {**kept, **FIXED, **more}


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
