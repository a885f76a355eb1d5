"""The working tree of a CI job: chosen files are committed, and nothing else is touched."""

import os
import posixpath
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.config.prefixes import Prefixes
from tunesmith.errors import UsageError
from tunesmith.pipeline.branches.experiment import USUAL
from tunesmith.pipeline.ci.backoff import pauses
from tunesmith.pipeline.ci.files import within
from tunesmith.pipeline.ci.merging import merged
from tunesmith.pipeline.ci.place import CommitTarget, place_for
from tunesmith.pipeline.git_host.host import GitHost, Login
from tunesmith.pipeline.pushing import HEADS, NO_OPTIONS, PUSH_TIMEOUT_S, PushRefusedError
from tunesmith.pipeline.repository import Repository, TreeEntry
from tunesmith.system.git import GitError

MAX_NAMED = 5
SUBMODULE = "160000"
"""The mode of a folder that is another repository."""
SKIP = "[skip ci]"
"""In a message, for servers that take no options of a push."""
NOT_LET_IN = ("Authentication failed", "could not read Username", "403", "denied", "not allowed")


@dataclass(frozen=True)
class NewCommit:
    """Result of ``commit``."""

    branch: str
    commit: str | None
    """``None`` if nothing had changed."""
    files: tuple[str, ...]
    """Files that the commit holds, relative to the repository."""
    note: str = ""
    """Remark on what could not be done besides, although the commit was made."""


@dataclass(frozen=True)
class _Start:
    """The commit that a new commit is built on."""

    commit: str
    tip: str | None
    """Commit of the branch on the remote; ``None`` if it is not there."""

    def tips(self, branch: str) -> dict[str, str]:
        """Return what the branch has to be on the remote for a push to go through."""
        return {} if self.tip is None else {branch: self.tip}


@dataclass(frozen=True)
class Checkout(Repository):
    """A working tree in CI, with what Git needs to push from it."""

    bot: tuple[str, str] | None = None
    """Name and address of the committer if Git's configuration has none."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables for Git; they hold the token, which so is in no argument and in no file."""

    default_branch: str | None = None
    """Default branch of the repository, as the Git host tells the job."""

    @classmethod
    def in_ci(cls, folder: Path, git_host: GitHost | None) -> "Checkout":
        """The repository of a folder, with the job's rights.

        Raises:
            UsageError: the folder is in no repository.
        """
        root = cls.of(folder).root
        if git_host is None:
            return cls(root)
        rights = {} if git_host.login is None else git_variables(git_host.login)
        return cls(root, git_host.bot, rights, git_host.job.default_branch)

    def current_branch(self, git_host: GitHost | None) -> str:
        """The branch that is checked out, or that the job says if HEAD is detached.

        Raises:
            UsageError: neither is known.
        """
        branch = self.branch_here(git_host)
        if branch is None:
            raise UsageError(
                "HEAD is detached, and no CI job says of which branch.\n  Check one out:"
                " `git switch BRANCH`."
            )
        return branch

    def branch_here(self, git_host: GitHost | None) -> str | None:
        """The same, or ``None`` if neither is known, as on a tag."""
        return self._checked_out() or (None if git_host is None else git_host.job.branch)

    def _checked_out(self) -> str | None:
        # Not `--short`: with a tag of the same name that is `heads/NAME`.
        head = self._try("symbolic-ref", "--quiet", "HEAD")
        is_branch = head is not None and head.startswith(HEADS)
        return head.removeprefix(HEADS) if head and is_branch else None

    def main_branch(self) -> str | None:
        """The default branch as the Git host tells; else as the clone does, by its name at last."""
        return self.default_branch or super().main_branch()

    def content(self, folder: Path, commit: str, name: str) -> str | None:
        """The text of a file of a commit; ``None`` if the commit has no such file.

        Args:
            folder: that the name is relative to.
            commit: its full digest.
            name: of the file.

        Raises:
            UsageError: it cannot be read, as in a partial clone that cannot reach its remote.
        """
        (path,) = within(self.root, folder, [name])
        entry = self.entries(commit, [path]).get(path)
        if entry is None:
            return None
        data = self._bytes("cat-file", "blob", entry.blob)
        return data.decode("utf-8-sig", errors="replace")

    def place(self, git_host: GitHost | None, branch: str | None = None) -> CommitTarget:
        """The branch that a job may commit to.

        Args:
            git_host: the Git host that it runs on.
            branch: the one that is meant, if somebody has named one.

        Raises:
            UsageError: it is not known which one, or the job may write to none.
        """
        place = place_for(self._checked_out(), None if git_host is None else git_host.job, branch)
        above = self._try("rev-parse", "--show-superproject-working-tree")
        if above and git_host is not None and branch is None:
            raise UsageError(
                f"{self.root.name} is a submodule, and the job's branch is that of the repository"
                " around it; nothing was committed.\n  If the submodule's own branch is meant:"
                " `--branch NAME`."
            )
        return place

    def tuning_branch(
        self, git_host: GitHost, named: str | None = None, prefixes: Prefixes = USUAL
    ) -> str:
        """The tuning branch that a job is about: named, checked out, or the job's own.

        Args:
            git_host: the Git host that it runs on.
            named: the one that is meant, if somebody has named one.
            prefixes: how branches of experiments begin.

        Raises:
            UsageError: it is none, or two of these differ.
        """
        if git_host.job.foreign:
            raise UsageError(f"{git_host.job.foreign}.\n  Do this in a job that runs on a push.")
        given = [named] if named is not None else [self._checked_out(), git_host.job.branch]
        start = prefixes.tuning
        branches = [name for name in dict.fromkeys(given) if name and name.startswith(start)]
        if not branches:
            known = next((name for name in given if name), "a tag")
            raise UsageError(f"`{known}` is no tuning branch: they are called {start}NAME.")
        if len(branches) > 1:
            raise UsageError(
                f"`{branches[0]}` is checked out, and this job runs for `{branches[1]}`; nothing"
                f" was done.\n  Say which one is meant: `--branch {branches[0]}`."
            )
        return branches[0]

    def commit(
        self,
        paths: Sequence[str],
        message: str,
        git_host: GitHost | None,
        *,
        branch: str | None = None,
    ) -> NewCommit:
        """Commit some files of the working tree, and leave the others as they are.

        Args:
            paths: files, relative to the repository; missing and ignored ones are left out.
            message: of the commit.
            git_host: the Git host that the job runs on.
            branch: that is meant, even if the job runs for another one or it is the default one.

        Raises:
            UsageError: it is not known on which branch, or the job may not write to it.
        """
        place, head = self.place(git_host, branch), self._head()
        if git_host is not None:
            place.check_default(self.main_branch(), self.remote_head("origin"))
        entries = self._changed(head, self._entries(paths))
        made = self._commit_on(head, entries, message)
        if made is None:
            return NewCommit(place.branch, None, ())
        self._advance(head, made, entries)
        return NewCommit(place.branch, made, tuple(self.changed_since(head, made)))

    def commit_and_push(
        self,
        paths: Sequence[str],
        message: str,
        git_host: GitHost | None,
        remote: str = "origin",
        *,
        branch: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> NewCommit:
        """The same, on top of what the branch is on the remote by now.

        Waits about a minute at most if others are pushing at the same time.

        Raises:
            UsageError: as above.
            GitError: the remote refuses, or somebody else has changed one of these files; nothing
                was pushed.
        """
        place, head = self.place(git_host, branch), self._head()
        entries = self._changed(head, self._entries(paths))
        if not entries:
            return NewCommit(place.branch, None, ())
        options = () if git_host is None else git_host.skip_ci
        tries: list[tuple[str | None, GitError]] = []
        for pause in pauses():
            start = self._start(remote, place, head)
            chosen = self._merged(head, start.commit, entries, place.branch)
            made = self._commit_on(start.commit, chosen, message)
            if made is None:
                return NewCommit(place.branch, None, ())
            try:
                self.push_commits(remote, {place.branch: made}, start.tips(place.branch), options)
            except GitError as error:
                # Such a server refuses the whole push; the message can ask for the same.
                if options and NO_OPTIONS in error.said:
                    options, message = (), f"{message}\n\n{SKIP}"
                    continue
                tries.append((start.tip, self._told(error, git_host)))
                if not self._is_race(remote, place.branch, start.tip, error):
                    raise tries[-1][1] from None
                sleep(pause)
            else:
                return self._pushed(place.branch, head, start.commit, made, chosen)
        raise _given_up(place.branch, tries)

    # -- helpers -----------------------------------------------------------------------------

    def _head(self) -> str:
        head = self.commit_of("HEAD")
        if head is None:
            raise UsageError("there is no commit yet. Commit something first.")
        return head

    def _entries(self, paths: Sequence[str]) -> dict[str, TreeEntry]:
        files = [p for p in dict.fromkeys(paths) if self._is_plain(p)]
        self._refuse_submodules(files)
        before = dict(zip(files, self.blobs([("HEAD", p) for p in files]), strict=True))
        # Patterns of `.gitignore` mean nothing for a file that is tracked, as for Git itself.
        wanted = [p for p in files if before[p] is not None or not self._is_ignored(p)]
        filters = self.filters_of(wanted)
        return {
            path: TreeEntry(
                self._mode_of(path),
                self.filtered_blob(path, str(self.root / path), filters.get(path), before[path]),
            )
            for path in wanted
        }

    def _refuse_submodules(self, paths: Sequence[str]) -> None:
        """Refuse files in submodules: Git would replace the whole submodule by a file."""
        above = {parent for path in paths for parent in _folders(path)}
        listed = self._run("ls-tree", "-z", "--full-tree", "HEAD", "--", *above) if above else ""
        rows = [line.partition("\t") for line in listed.split("\0") if line]
        submodules = [name for about, _, name in rows if about.startswith(SUBMODULE)]
        if submodules:
            raise UsageError(
                f"results lie in the submodule {submodules[0]}, which is a repository of its own;"
                " nothing was committed.\n  Let `outputs:` name a folder of this repository."
            )

    def _changed(self, head: str, entries: Mapping[str, TreeEntry]) -> dict[str, TreeEntry]:
        """Entries that differ from the commit."""
        before = self.blobs([(head, path) for path in entries])
        rows = zip(entries.items(), before, strict=True)
        return {path: entry for (path, entry), blob in rows if entry.blob != blob}

    def _is_plain(self, path: str) -> bool:
        file = self.root / path
        # A link may lead out of the repository, to a file that nobody meant to publish.
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
        # The mode of HEAD, not of the disk: some file systems know no executable bit.
        listed = self._try("ls-tree", "HEAD", "--", path)
        return listed.split()[0] if listed else "100644"

    def _commit_on(self, tip: str, entries: Mapping[str, TreeEntry], message: str) -> str | None:
        """A commit with these files on top of another one; ``None`` if it would be empty."""
        made = self._commit(tip, entries, message)
        return None if made == tip else made

    def _advance(self, head: str, made: str, entries: Mapping[str, TreeEntry]) -> None:
        """Let the working tree stand on the new commit."""
        # With the old value Git refuses if HEAD has moved meanwhile.
        self._run("update-ref", "HEAD", made, head)
        # Only these entries, so that whatever else is staged stays staged.
        self._run("update-index", "-z", "--index-info", given=_rows(entries))

    def _pushed(
        self, branch: str, head: str, start: str, made: str, entries: Mapping[str, TreeEntry]
    ) -> NewCommit:
        note = self._follow_up(head, start, made, entries)
        return NewCommit(branch, made, tuple(self.changed_since(start, made)), note)

    def _follow_up(self, head: str, start: str, made: str, entries: Mapping[str, TreeEntry]) -> str:
        """After a push, let the working tree stand on the new commit if it stood below it."""
        # Built on another tip, the commit has files that this working tree lacks.
        if start != head:
            return ""
        try:
            self._advance(head, made, entries)
        except GitError as error:
            return f"the commit was pushed, but the working tree here stays behind it ({error})"
        return ""

    # -- the remote --------------------------------------------------------------------------

    def _start(self, remote: str, place: CommitTarget, head: str) -> _Start:
        """Return the commit to build on: the remote's tip, if it holds what is checked out.

        It is asked for at each try, because others may have moved the branch since.

        Raises:
            UsageError: it is the default branch.
            GitError: the branch is gone there, or has become another one.
        """
        state = self.ask_remote(remote, [place.branch])
        # What the clone says may be outdated, so it is asked only if nobody else tells.
        told = (self.default_branch, state.default_branch)
        place.check_default(*(told if any(told) else (self.main_branch(),)))
        if place.branch not in state.tips:
            # What this job has seen there was deleted since, and stays deleted, named or not.
            seen = self.commit_of(f"refs/remotes/{remote}/{place.branch}") is not None
            if place.may_begin and not (seen and place.is_in_ci):
                return _Start(head, None)
            raise GitError(
                f"{remote} has no branch `{place.branch}` (any more); nothing was pushed."
            )
        tip = state.tips[place.branch]
        # Jobs mostly have a shallow clone, which lacks whatever was pushed since.
        if self.commit_of(tip) is None:
            tip = self._fetch(remote, place.branch)
        if self._holds(remote, place.branch, head, tip):
            return _Start(tip, tip)
        if not place.is_detached and self.is_ancestor(tip, head):
            return _Start(head, tip)
        raise GitError(
            f"what is checked out ({head[:12]}) is not on `{place.branch}` of {remote}: the branch"
            " was rewritten since, or these commits belong elsewhere; nothing was pushed.\n"
            "  Results are in the ledger: run the job again on the branch as it is now."
        )

    def _holds(self, remote: str, branch: str, head: str, tip: str) -> bool:
        """Tell whether a tip holds what is checked out; a shallow clone has to fetch for that."""
        # Step by step: a whole history may be large, and most tips are near.
        for depth in ((), ("--depth=200",), ("--unshallow",)):
            if depth and self.is_shallow():
                self._fetch(remote, branch, *depth)
            if self.is_ancestor(head, tip):
                return True
        return False

    def _fetch(self, remote: str, branch: str, *depth: str) -> str:
        # Only this branch. Maintenance would go on in the background, beside what follows.
        alone = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance")
        options = (*alone, *depth)
        reference = f"{HEADS}{branch}"
        place = self.pushed_to(remote)
        self._run("fetch", *options, "--", place, reference, timeout_s=PUSH_TIMEOUT_S)
        return self._run("rev-parse", "--verify", "FETCH_HEAD^{commit}")

    def _is_race(self, remote: str, branch: str, tip: str | None, error: GitError) -> bool:
        """Tell whether somebody else was faster: Git says so, or the branch has moved."""
        is_contended = isinstance(error, PushRefusedError) and error.is_contended
        # A push that is overtaken in its last moment may end without a word.
        if not isinstance(error, PushRefusedError) and error.said.strip():
            return False
        return is_contended or self.ask_remote(remote, [branch]).tips.get(branch) != tip

    def _told(self, error: GitError, git_host: GitHost | None) -> GitError:
        """Return the refusal with its remedy."""
        lines = [str(error)]
        if isinstance(error, PushRefusedError):
            lines.append("Nothing was pushed; the results are in the ledger.")
        if git_host is not None and git_host.push_hint and any(w in error.said for w in NOT_LET_IN):
            lines.append(git_host.push_hint)
        return GitError("\n  ".join(lines), error.said)

    def _merged(
        self, head: str, tip: str, entries: Mapping[str, TreeEntry], branch: str
    ) -> dict[str, TreeEntry]:
        """The files to commit on a tip; results overwrite no edit that they do not know.

        Raises:
            GitError: somebody has changed one of them, and a person has to decide.
        """
        if tip == head:
            return dict(entries)
        before = self.blobs([(head, path) for path in entries])
        theirs = self.blobs([(tip, path) for path in entries])
        to_commit, conflicts = {}, []
        for (path, entry), was, other in zip(entries.items(), before, theirs, strict=True):
            # Nobody changed it, or to the very same: nothing of others can be lost.
            if other in (was, entry.blob):
                to_commit[path] = entry
                continue
            text = merged(path, self._text(was), self._text(entry.blob), self._text(other))
            if text is None:
                conflicts.append(path)
            else:
                to_commit[path] = TreeEntry(entry.mode, self.store(text))
        if conflicts:
            named = ", ".join(conflicts[:MAX_NAMED])
            raise GitError(
                f"somebody has changed {named} on `{branch}` since this job began; nothing was"
                " pushed.\n  The results are in the ledger: the next run finds them there."
            )
        return to_commit

    def _text(self, blob: str | None) -> str | None:
        """Text of a blob; ``None`` if it is no text."""
        try:
            return None if blob is None else self.contents([blob])[blob].decode()
        except UnicodeDecodeError:
            return None

    # -- overridden --------------------------------------------------------------------------

    def _author(self) -> dict[str, str]:
        # Somebody who sets an identity wants it in commits: the bot is for jobs that have none.
        is_told = self._try("config", "user.email") or os.environ.get("GIT_AUTHOR_EMAIL")
        if is_told or self.bot is None:
            return super()._author()
        name, address = self.bot
        who = ("AUTHOR", "COMMITTER")
        return {f"GIT_{w}_{k}": v for w in who for k, v in (("NAME", name), ("EMAIL", address))}

    def _bytes(self, *arguments: str, more: Mapping[str, str] | None = None, **rest: Any) -> bytes:
        return super()._bytes(*arguments, more={**self.environment, **(more or {})}, **rest)


def _given_up(branch: str, tries: Sequence[tuple[str | None, GitError]]) -> GitError:
    """Return the final error after all tries, each a tip and its refusal."""
    if len({tip for tip, _ in tries}) == 1:
        # Git spoke of somebody else, and nobody moved the branch: a lock was left, perhaps.
        refusal = tries[-1][1]
        text = f"{refusal}\n  So it was at each of {len(tries)} tries within a minute."
        return GitError(text, refusal.said)
    return GitError(
        f"`{branch}` was moved by others during {len(tries)} tries within a minute; nothing was"
        " pushed. Try again."
    )


def _folders(path: str) -> list[str]:
    """All folders that a path leads through.

    >>> _folders("a/b/c.md")
    ['a/b', 'a']
    """
    folders = []
    while path := posixpath.dirname(path):
        folders.append(path)
    return folders


def _rows(entries: Mapping[str, TreeEntry]) -> str:
    return "".join(f"{entry.mode} {entry.blob}\t{path}\0" for path, entry in entries.items())


def git_variables(login: Login) -> dict[str, str]:
    """Variables that let Git in at one server, and nowhere else."""
    # The job may have settings of this kind, and ours are numbered after them.
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    # In variables, because every process of the machine can read a command line.
    secret = b64encode(f"{login.user}:{login.token}".encode()).decode()
    key = f"http.{login.server.rstrip('/')}/.extraheader"
    # The empty value takes back what `actions/checkout` may have left: two headers are refused.
    values = ("", f"Authorization: Basic {secret}")
    variables = {"GIT_CONFIG_COUNT": str(first + len(values))}
    for place, value in enumerate(values, first):
        variables |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
    return variables
