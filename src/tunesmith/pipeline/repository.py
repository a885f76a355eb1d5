"""A Git repository, read and written by plumbing: the working tree and its index stay untouched."""

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.errors import StorageError, UsageError
from tunesmith.git import GIT, REPOSITORY_VARIABLES, TIMEOUT_S

NOBODY = {"NAME": "Tunesmith", "EMAIL": "tunesmith@localhost"}
PUSH_TIMEOUT_S = 120


class GitError(UsageError):
    """Git refused; the text is what it said."""


@dataclass(frozen=True)
class Repository:
    """The repository that a folder belongs to."""

    root: Path
    """Its top folder."""

    @classmethod
    def of(cls, folder: Path) -> "Repository":
        """Find it.

        Raises:
            UsageError: the folder is in none, or there is no Git.
        """
        try:
            top = cls(folder)._run("rev-parse", "--show-toplevel")
        except GitError as error:
            raise UsageError(
                f"{folder.absolute()} is in no Git repository ({error}).\n  Begin one: `git init`."
            ) from None
        return cls(Path(top))

    # -- reading -----------------------------------------------------------------------------

    def commit_of(self, revision: str) -> str | None:
        """The commit that a revision names; ``None`` where it names none."""
        text = f"{revision}^{{commit}}"
        return self._try("rev-parse", "--verify", "--quiet", "--end-of-options", text)

    def branches(self) -> dict[str, str]:
        """Local branches and their commits, and those of remotes that have no local one.

        Returns:
            Short name -> commit, sorted by name.
        """
        local = self._refs("refs/heads/")
        remote = {}
        for name, commit in self._refs("refs/remotes/").items():
            _, _, short = name.partition("/")
            if short and short != "HEAD":
                remote[short] = commit
        return dict(sorted({**remote, **local}.items()))

    def local_branches(self) -> dict[str, str]:
        """Local branches and their commits."""
        return self._refs("refs/heads/")

    def _refs(self, prefix: str) -> dict[str, str]:
        listed = self._run("for-each-ref", "--format=%(refname) %(objectname)", prefix)
        lines = [line.rsplit(" ", 1) for line in listed.splitlines()]
        return {name.removeprefix(prefix): commit for name, commit in lines}

    def read(self, revision: str, path: str) -> str | None:
        """A file of a revision; ``None`` where it is not there."""
        return self._try("cat-file", "blob", f"{revision}:{path}", strip=False)

    def last_change(self, revision: str, path: str) -> str | None:
        """The newest commit, up to a revision, that changed a file."""
        return self._try("log", "-1", "--format=%H", revision, "--", path) or None

    def is_ancestor(self, earlier: str, later: str) -> bool:
        """Whether the later commit holds the earlier one."""
        return self._try("merge-base", "--is-ancestor", earlier, later) is not None

    def merge_base(self, one: str, other: str) -> str | None:
        """The commit from which two of them part."""
        return self._try("merge-base", one, other)

    def changed_since(self, earlier: str, later: str) -> list[str]:
        """Paths that differ between two commits."""
        return self._run("diff", "--name-only", "-z", earlier, later).split("\0")[:-1]

    def checked_out(self) -> dict[str, str]:
        """Branches that a working tree stands on, and where that lies."""
        found, place = {}, ""
        for line in self._run("worktree", "list", "--porcelain").splitlines():
            word, _, rest = line.partition(" ")
            if word == "worktree":
                place = rest
            elif word == "branch":
                found[rest.removeprefix("refs/heads/")] = place
        return found

    def is_branch_name(self, name: str) -> bool:
        """Whether Git takes it for a branch."""
        return self._try("check-ref-format", "--branch", name) is not None

    def main_branch(self) -> str | None:
        """What experiments are merged into: the remote's default branch, or ``main``."""
        head = self._try("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
        candidates = [(head or "").partition("/")[2], "main", "master"]
        return next((name for name in candidates if name in self.branches()), None)

    def is_shallow(self) -> bool:
        """Whether a part of the history is missing."""
        return self._try("rev-parse", "--is-shallow-repository") == "true"

    # -- writing -----------------------------------------------------------------------------

    def make_branches(self, names: Sequence[str], commit: str) -> None:
        """Create branches at a commit: all of them, or none.

        Raises:
            GitError: one is there already.
        """
        lines = "".join(f"create refs/heads/{name} {commit}\n" for name in names)
        self._run("update-ref", "--stdin", given=f"start\n{lines}prepare\ncommit\n")

    def commit_files(self, branch: str, files: Mapping[str, str], message: str) -> str:
        """Add one commit to a branch that no working tree stands on.

        Args:
            branch: its name.
            files: path -> new content.
            message: of the commit.

        Returns:
            The commit; the branch's own where nothing changes.

        Raises:
            GitError: the branch has moved meanwhile.
        """
        tip = self._run("rev-parse", "--verify", f"refs/heads/{branch}")
        with tempfile.TemporaryDirectory(prefix="tunesmith-") as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._run("read-tree", tip, more=index)
            for path, content in files.items():
                blob = self._run("hash-object", "-w", "--stdin", given=content)
                entry = f"{self._mode(tip, path)},{blob},{path}"
                self._run("update-index", "--add", "--cacheinfo", entry, more=index)
            tree = self._run("write-tree", more=index)
        if tree == self._run("rev-parse", f"{tip}^{{tree}}"):
            return tip
        commit = self._run(
            "commit-tree", tree, "-p", tip, "-F", "-", given=message, more=self._author()
        )
        # Only if it is where it was: nobody's commit is lost.
        self._run("update-ref", f"refs/heads/{branch}", commit, tip)
        return commit

    def _mode(self, revision: str, path: str) -> str:
        listed = self._try("ls-tree", revision, "--", path)
        return listed.split()[0] if listed else "100644"

    def _author(self) -> dict[str, str]:
        """Who commits, where Git has not been told."""
        if self._try("var", "GIT_COMMITTER_IDENT") is not None:
            return {}
        return {f"GIT_{who}_{k}": v for who in ("AUTHOR", "COMMITTER") for k, v in NOBODY.items()}

    def push(self, remote: str, branches: Sequence[str]) -> None:
        """Push branches, all of them or none.

        Raises:
            GitError: the remote is not there, or refuses.
        """
        refs = [f"refs/heads/{name}:refs/heads/{name}" for name in branches]
        try:
            self._run("push", "--quiet", "--atomic", "--", remote, *refs, timeout_s=PUSH_TIMEOUT_S)
        except GitError as error:
            if "rejected" not in str(error):
                raise
            raise GitError(
                f"{remote} refused the push: it has commits that are not here, or rules against it"
                f" ({error}).\n  Fetch and look: `git fetch {remote}`; nothing was changed."
            ) from None

    # -- commands ----------------------------------------------------------------------------

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
        kept = {k: v for k, v in os.environ.items() if k not in REPOSITORY_VARIABLES}
        environment = {**kept, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **(more or {})}
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program, no shell
                [*GIT, "-C", str(self.root), *arguments],
                capture_output=True,
                input=(given or "").encode(),
                env=environment,
                timeout=timeout_s,
                check=False,
            )
        except FileNotFoundError:
            raise UsageError("there is no Git here: install it.") from None
        except subprocess.TimeoutExpired:
            raise StorageError(f"git {arguments[0]} did not end in {timeout_s:g} s") from None
        if done.returncode:
            raise GitError(_reason(done.stderr.decode(errors="replace")))
        output = done.stdout.decode(errors="replace")
        return output.strip() if strip else output


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
