"""Git, called in a folder: no shell, no prompt, no hook, no repository from the environment."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tunesmith.errors import StorageError, UsageError
from tunesmith.git import GIT, REPOSITORY_VARIABLES, TIMEOUT_S

FIXED = {"GIT_TERMINAL_PROMPT": "0", "GIT_LITERAL_PATHSPECS": "1", "LC_ALL": "C"}


class GitError(UsageError):
    """Git refused; the text is what it said."""


@dataclass(frozen=True)
class Plumbing:
    """How commands are called."""

    root: Path
    """Where."""

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
        kept = {k: v for k, v in os.environ.items() if k not in REPOSITORY_VARIABLES}
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program, no shell
                [*GIT, "-C", str(self.root), *arguments],
                capture_output=True,
                input=given,
                env={**kept, **FIXED, **(more or {})},
                timeout=timeout_s,
                check=False,
            )
        except FileNotFoundError:
            raise UsageError("there is no Git here: install it.") from None
        except subprocess.TimeoutExpired:
            raise StorageError(f"git {arguments[0]} did not end in {timeout_s:g} s") from None
        if done.returncode:
            raise GitError(_reason(done.stderr.decode(errors="replace")))
        return done.stdout


def _reason(said: str) -> str:
    """The line of Git's that says why.

    >>> _reason("To x\\n ! [rejected] a -> a (fetch first)\\nerror: failed\\nhint: See")
    '[rejected] a -> a (fetch first)'
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    rejected = [line.removeprefix("! ") for line in lines if line.startswith("! [")]
    told = [line for line in lines if not line.startswith("hint:")]
    found = (rejected or told[-1:] or ["no reason given"])[0]
    return found.removeprefix("fatal: ").removeprefix("error: ")
