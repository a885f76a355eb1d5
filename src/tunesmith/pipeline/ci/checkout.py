"""What CI has checked out: chosen files go back to the branch, and nothing else is touched."""

import os
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.errors import UsageError
from tunesmith.pipeline.forge.forge import Forge, Login
from tunesmith.pipeline.plumbing import GitError
from tunesmith.pipeline.repository import PUSH_TIMEOUT_S, Entry, Repository

TRIES = 5
"""So often somebody else may push while we do."""
MAX_NAMED = 5


@dataclass(frozen=True)
class NewCommit:
    """What ``commit`` did."""

    branch: str
    commit: str | None
    """``None`` where nothing had changed."""
    files: tuple[str, ...]
    """That the commit holds, relative to the repository."""


@dataclass(frozen=True)
class Checkout(Repository):
    """A working tree in CI, with what Git needs to push from it."""

    bot: tuple[str, str] | None = None
    """Who commits where Git has not been told."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables for Git; they hold the token, which so is in no argument and in no file."""

    @classmethod
    def in_ci(cls, folder: Path, forge: Forge | None) -> "Checkout":
        """The repository of a folder, with the job's rights.

        Raises:
            UsageError: the folder is in no repository.
        """
        root = cls.of(folder).root
        if forge is None:
            return cls(root)
        return cls(root, forge.bot, {} if forge.login is None else git_variables(forge.login))

    def current_branch(self, forge: Forge | None) -> str:
        """The branch that is checked out, or that the job says where HEAD is detached.

        Raises:
            UsageError: neither is known.
        """
        found = self.branch_here(forge)
        if found is None:
            raise UsageError(
                "HEAD is detached, and no CI job says of which branch.\n  Check one out:"
                " `git switch BRANCH`."
            )
        return found

    def branch_here(self, forge: Forge | None) -> str | None:
        """The same, or ``None`` where neither is known, as on a tag."""
        named = None if forge is None else forge.job.branch
        return named or self._try("symbolic-ref", "--quiet", "--short", "HEAD")

    def base_commit(self, forge: Forge | None, given: str | None = None) -> tuple[str, str | None]:
        """What a change is compared with: a name, and its commit if that is here.

        Args:
            forge: that the job runs on.
            given: a revision; else the branch that the pull request goes into, or the main one.
        """
        if given is not None:
            return given, self.commit_of(given)
        target = (None if forge is None else forge.job.target) or self.main_branch() or "main"
        here = self.commit_of(f"refs/remotes/origin/{target}")
        return target, here or self.commit_of(f"refs/heads/{target}")

    def commit(self, paths: Sequence[str], message: str, forge: Forge | None) -> NewCommit:
        """Commit some files of the working tree, and leave the others as they are.

        Args:
            paths: files, relative to the repository; missing and ignored ones are left out.
            message: of the commit.
            forge: that the job runs on.

        Raises:
            UsageError: the job runs for a pull request, or it is not known on which branch.
        """
        branch, head = self._own_branch(forge), self._head()
        entries = self._entries(paths)
        made = self._commit_on(head, entries, message)
        if made is None:
            return NewCommit(branch, None, ())
        self._advance(head, made, entries)
        return NewCommit(branch, made, tuple(self.changed_since(head, made)))

    def commit_and_push(
        self, paths: Sequence[str], message: str, forge: Forge | None, remote: str = "origin"
    ) -> NewCommit:
        """The same, on top of what the branch is on the remote by now.

        Raises:
            UsageError: as above.
            GitError: the remote refuses, or somebody else has changed one of these files.
        """
        branch, head = self._own_branch(forge), self._head()
        entries, tip = self._entries(paths), head
        for _ in range(TRIES):
            made = self._commit_on(tip, entries, message)
            if made is None:
                return NewCommit(branch, None, ())
            try:
                self._push_commit(remote, made, branch, () if forge is None else forge.skip_ci)
            except GitError as error:
                if "rejected" not in str(error):
                    raise
                tip = self._fetch(remote, branch)
                self._refuse_conflicts(head, tip, entries, branch)
                continue
            if tip == head:
                self._advance(head, made, entries)
            return NewCommit(branch, made, tuple(self.changed_since(tip, made)))
        raise GitError(f"`{branch}` moved {TRIES} times while its results were pushed; try again.")

    # -- parts of it -------------------------------------------------------------------------

    def _own_branch(self, forge: Forge | None) -> str:
        # What is checked out for a pull request is often a merge that is on no branch; and the
        # branch may be a fork's, which is called like one of ours.
        if forge is not None and forge.job.number is not None:
            raise UsageError(
                f"this job runs for pull request {forge.job.number}, not for a branch.\n"
                "  Commit from a job that runs on a push."
            )
        return self.current_branch(forge)

    def _head(self) -> str:
        head = self.commit_of("HEAD")
        if head is None:
            raise UsageError("there is no commit yet. Commit something first.")
        return head

    def _entries(self, paths: Sequence[str]) -> dict[str, Entry]:
        files = [p for p in dict.fromkeys(paths) if self._is_plain(p)]
        return {
            path: Entry(self._mode_of(path), self._blob(path))
            for path in files
            if self.read("HEAD", path) is not None or not self._is_ignored(path)
        }

    def _is_plain(self, path: str) -> bool:
        file = self.root / path
        return file.is_file() and not file.is_symlink()

    def _is_ignored(self, path: str) -> bool:
        # This command knows no patterns, and stops at being told that there are none.
        usual = {"GIT_LITERAL_PATHSPECS": "0"}
        try:
            self._run("check-ignore", "--quiet", "--", path, more=usual)
        except GitError:
            return False
        return True

    def _mode_of(self, path: str) -> str:
        listed = self._try("ls-tree", "HEAD", "--", path)
        return listed.split()[0] if listed else "100644"

    def _blob(self, path: str) -> str:
        # With `--path`, line ends and LFS are seen to as `git add` would.
        return self._run("hash-object", "-w", "--path", path, "--", str(self.root / path))

    def _commit_on(self, tip: str, entries: Mapping[str, Entry], message: str) -> str | None:
        """A commit with these files on top of another one; ``None`` where it would be empty."""
        made = self._commit(tip, entries, message)
        return None if made == tip else made

    def _advance(self, head: str, made: str, entries: Mapping[str, Entry]) -> None:
        """Let the working tree stand on the new commit."""
        self._run("update-ref", "HEAD", made, head)
        self._run("update-index", "-z", "--index-info", given=_rows(entries))

    def _push_commit(self, remote: str, commit: str, branch: str, options: Sequence[str]) -> None:
        pushed = [f"--push-option={option}" for option in options]
        reference = f"{commit}:refs/heads/{branch}"
        arguments = ("push", "--quiet", *pushed, "--", remote, reference)
        self._run(*arguments, timeout_s=PUSH_TIMEOUT_S)

    def _fetch(self, remote: str, branch: str) -> str:
        reference = f"refs/heads/{branch}"
        arguments = ("fetch", "--quiet", "--no-tags", "--", remote, reference)
        self._run(*arguments, timeout_s=PUSH_TIMEOUT_S)
        return self._run("rev-parse", "--verify", "FETCH_HEAD^{commit}")

    def _refuse_conflicts(
        self, head: str, tip: str, entries: Mapping[str, Entry], branch: str
    ) -> None:
        """Nobody's edit is overwritten by results that do not know it."""
        found = [
            path
            for path, entry in entries.items()
            if self._blob_in(tip, path) not in (self._blob_in(head, path), entry.blob)
        ]
        if found:
            named = ", ".join(found[:MAX_NAMED])
            raise GitError(
                f"somebody has changed {named} on `{branch}` since this job began; nothing was"
                " pushed.\n  The results are in the ledger: the next run finds them there."
            )

    def _blob_in(self, revision: str, path: str) -> str | None:
        return self._try("rev-parse", "--verify", "--quiet", f"{revision}:{path}")

    # -- overridden --------------------------------------------------------------------------

    def _author(self) -> dict[str, str]:
        is_told = self._try("config", "user.email") or os.environ.get("GIT_AUTHOR_EMAIL")
        if is_told or self.bot is None:
            return super()._author()
        name, address = self.bot
        who = ("AUTHOR", "COMMITTER")
        return {f"GIT_{w}_{k}": v for w in who for k, v in (("NAME", name), ("EMAIL", address))}

    def _bytes(self, *arguments: str, more: Mapping[str, str] | None = None, **rest: Any) -> bytes:
        return super()._bytes(*arguments, more={**self.environment, **(more or {})}, **rest)


def _rows(entries: Mapping[str, Entry]) -> str:
    return "".join(f"{entry.mode} {entry.blob}\t{path}\0" for path, entry in entries.items())


def git_variables(login: Login) -> dict[str, str]:
    """Variables that let Git in at one server, and nowhere else."""
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    secret = b64encode(f"{login.user}:{login.token}".encode()).decode()
    key = f"http.{login.server.rstrip('/')}/.extraheader"
    # The empty value takes back what `actions/checkout` may have left: two headers are refused.
    values = ("", f"Authorization: Basic {secret}")
    found = {"GIT_CONFIG_COUNT": str(first + len(values))}
    for place, value in enumerate(values, first):
        found |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
    return found
