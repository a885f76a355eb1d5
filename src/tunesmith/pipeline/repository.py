"""A Git repository, read and written by plumbing: the working tree and its index stay untouched."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tunesmith.errors import UsageError
from tunesmith.pipeline.pushing import Move, Pushing
from tunesmith.system.git import GitError

NOBODY = {"NAME": "Tunesmith", "EMAIL": "tunesmith@localhost"}
PLAIN_FILES = ("100644", "100755")
"""Modes; a link has another one, and so has a submodule."""


@dataclass(frozen=True)
class TreeEntry:
    """A file as Git stores it."""

    mode: str
    blob: str


@dataclass(frozen=True)
class Tip:
    """The newest known commit of a branch."""

    commit: str
    remote: str = ""
    """Remote of the branch; empty if it is a local one."""
    has_parted: bool = False
    """True if the local branch and that of a remote each have commits that the other one lacks."""


@dataclass(frozen=True)
class Repository(Pushing):
    """The repository that a folder belongs to."""

    # ``root`` is its top folder; of a bare one, the repository itself.

    @classmethod
    def of(cls, folder: Path) -> "Repository":
        """Find the repository of a folder.

        Raises:
            UsageError: the folder is in none, or there is no Git.
        """
        here = cls(folder)
        try:
            if here._run("rev-parse", "--is-bare-repository") == "true":
                return cls(Path(here._run("rev-parse", "--absolute-git-dir")))
            return cls(Path(here._run("rev-parse", "--show-toplevel")))
        except GitError as error:
            raise UsageError(
                f"{folder.absolute()} is in no Git repository ({error}).\n  Begin one: `git init`."
            ) from None

    # -- branches ----------------------------------------------------------------------------

    def commit_of(self, revision: str) -> str | None:
        """Return the commit that a revision names; ``None`` if it names none."""
        # After `--end-of-options` a revision that begins with a dash is no option.
        text = f"{revision}^{{commit}}"
        return self._try("rev-parse", "--verify", "--quiet", "--end-of-options", text)

    def branches(self) -> dict[str, str]:
        """Return local branches and their commits, and branches of remotes that have no local one.

        Returns:
            Short name -> commit, sorted by name.
        """
        remote = {name: tips[0].commit for name, tips in self.remote_branches().items()}
        return dict(sorted({**remote, **self.local_branches()}.items()))

    def local_branches(self) -> dict[str, str]:
        """Return local branches and their commits."""
        return self._refs("refs/heads/")

    def remote_branches(self) -> dict[str, list[Tip]]:
        """Return the branches of remotes, as they were at the last fetch; ``origin`` goes first."""
        # The longest first, because `a` and `a/b` may both be remotes.
        remotes = sorted(self._run("remote").split(), key=lambda name: (-len(name), name))
        by_name: dict[str, list[Tip]] = {}
        for name, commit in self._refs("refs/remotes/").items():
            # The name of a remote may hold slashes, too.
            remote = next((r for r in remotes if name.startswith(f"{r}/")), name.partition("/")[0])
            short = name.removeprefix(f"{remote}/")
            if short and short != "HEAD":
                by_name.setdefault(short, []).append(Tip(commit, remote))
        for tips in by_name.values():
            tips.sort(key=lambda tip: (tip.remote != "origin", tip.remote))
        return by_name

    def remotes(self) -> list[str]:
        """Names of the remotes."""
        return self._run("remote").split()

    def tips(self, prefixes: tuple[str, ...]) -> dict[str, Tip]:
        """Return the newest known commit of branches, local or on a remote.

        Args:
            prefixes: of their names.
        """
        local, remote = self.local_branches(), self.remote_branches()
        wanted = sorted(name for name in {*local, *remote} if name.startswith(prefixes))
        return {name: self._newest(local.get(name), remote.get(name, ())) for name in wanted}

    def _newest(self, local: str | None, remotes: Sequence[Tip]) -> Tip:
        if local is None:
            return remotes[0]
        tip = Tip(local)
        for other in remotes:
            if other.commit == tip.commit or self.is_ancestor(other.commit, tip.commit):
                continue
            is_ahead = self.is_ancestor(tip.commit, other.commit)
            tip = other if is_ahead else replace(tip, has_parted=True)
        return tip

    def merged_into(self, commit: str) -> set[str]:
        """Return the tips of all branches that a commit holds."""
        shape = "--format=%(objectname)"
        places = ("refs/heads/", "refs/remotes/")
        return set(self._run("for-each-ref", shape, f"--merged={commit}", *places).split())

    def _refs(self, prefix: str) -> dict[str, str]:
        listed = self._run("for-each-ref", "--format=%(refname) %(objectname)", prefix)
        lines = [line.rsplit(" ", 1) for line in listed.splitlines()]
        return {name.removeprefix(prefix): commit for name, commit in lines}

    def checked_out(self) -> dict[str, str]:
        """Return the branches that are checked out, each with the folder of its working tree."""
        folder_of, place = {}, ""
        for line in self._run("worktree", "list", "--porcelain").splitlines():
            word, _, rest = line.partition(" ")
            if word == "worktree":
                place = rest
            elif word == "branch":
                folder_of[rest.removeprefix("refs/heads/")] = place
        return folder_of

    def mark_branch(self, name: str, key: str, value: str) -> None:
        """Note something about a branch in this clone; Git drops it when the branch is deleted."""
        self._run("config", f"branch.{name}.{key}", value or ".")

    def marks(self, key: str) -> dict[str, str]:
        """Return these notes, by branch."""
        listed = self._try("config", "-z", "--get-regexp", rf"^branch\..*\.{key}$") or ""
        rows = [row.partition("\n") for row in listed.split("\0") if row]
        by_branch = {name.removeprefix("branch.").removesuffix(f".{key}"): v for name, _, v in rows}
        return {name: "" if value == "." else value for name, value in by_branch.items()}

    def is_branch_name(self, name: str) -> bool:
        """Tell whether Git accepts a name for a branch."""
        return self._try("check-ref-format", "--branch", name) is not None

    def main_branch(self) -> str | None:
        """Branch that experiments are merged into: the remote's default branch, or ``main``."""
        head = self.remote_head("origin")
        branches = {*self.local_branches(), *self.remote_branches()}
        return next((name for name in (head, "main", "master") if name in branches), None)

    def remote_head(self, remote: str) -> str | None:
        """The default branch of a remote, as it was when the repository was cloned."""
        place = f"refs/remotes/{remote}/"
        head = self._try("symbolic-ref", "--quiet", f"{place}HEAD")
        return head.removeprefix(place) if head else None

    def fetch_command(self, *branches: str) -> str:
        """Return the command that fetches branches with their history, whatever was cloned."""
        depth = " --unshallow" if self.is_shallow() else ""
        named = branches or ("*",)
        refs = [f"'+refs/heads/{name}:refs/remotes/origin/{name}'" for name in named]
        return f"git fetch{depth} origin {' '.join(refs)}"

    def is_shallow(self) -> bool:
        """True if a part of the history is missing."""
        return self._try("rev-parse", "--is-shallow-repository") == "true"

    # -- history -----------------------------------------------------------------------------

    def last_change(self, revision: str, *paths: str) -> str | None:
        """The newest commit, up to a revision, that changed one of the files."""
        return self._try("log", "-1", "--format=%H", revision, "--", *paths) or None

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the last common commit of two commits."""
        return one if one == other else self._try("merge-base", one, other)

    def changed_since(self, earlier: str, later: str) -> list[str]:
        """Paths that differ between two commits."""
        return self._run("diff", "--name-only", "-z", earlier, later).split("\0")[:-1]

    def messages(
        self, word: str, revisions: Iterable[str], unless: str | None = None
    ) -> Iterator[tuple[str, str]]:
        """Commits whose message has a line that begins with a word, the newest first.

        Args:
            word: plain letters and dashes.
            revisions: to look at.
            unless: leave out everything that this commit holds.

        Returns:
            Commit and message.
        """
        # By standard input: the commits of many branches may exceed a command line.
        given = "\n".join([*revisions, *([f"^{unless}"] if unless else [])])
        if not given:
            return
        search = f"--grep=^ *{word}: "
        text = self._run("log", "--stdin", "-z", search, "--format=%H%n%B", given=given)
        for item in text.split("\0"):
            commit, _, message = item.partition("\n")
            if commit:
                yield commit, message

    def versions(self, commit: str, path: str, unless: str | None = None) -> set[str]:
        """The blobs that a file has been, up to a commit.

        Args:
            commit: the newest.
            path: of the file.
            unless: leave out everything that this commit holds.
        """
        bounds = [commit, *([f"^{unless}"] if unless else [])]
        # Without `--diff-merges` a merge shows no change, and its version would be missed.
        shape = ("--format=", "--raw", "--no-abbrev", "--diff-merges=first-parent", "--no-renames")
        listed = self._try("log", *shape, *bounds, "--", path) or ""
        rows = [line.split() for line in listed.splitlines() if line.startswith(":")]
        return {row[3] for row in rows if row[4] != "D"}

    # -- files -------------------------------------------------------------------------------

    def read(self, revision: str, path: str) -> str | None:
        """Return the text of a file of a revision; ``None`` if it is not there."""
        return self._try("cat-file", "blob", f"{revision}:{path}", strip=False)

    def tree(self, revision: str, path: str) -> str | None:
        """Return the object of a file or a folder; ``None`` if it is not there."""
        return self._try(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}:{path}"
        )

    def entries(self, revision: str, paths: Iterable[str]) -> dict[str, TreeEntry]:
        """Return the entries of those paths that are plain files in a revision."""
        wanted = list(paths)
        if not wanted:
            return {}
        listed = self._run("ls-tree", "-z", "--full-tree", revision, "--", *wanted)
        rows = [line.partition("\t") for line in listed.split("\0") if line]
        by_path = {path: TreeEntry(*row.split()[0:3:2]) for row, _, path in rows}
        return {path: entry for path, entry in by_path.items() if entry.mode in PLAIN_FILES}

    def files(self, revision: str, folder: str = "") -> list[str]:
        """List the paths of all files of a revision."""
        place = [f"{folder}/"] if folder else []
        listed = self._run(
            "ls-tree", "-r", "-z", "--full-tree", "--name-only", revision, "--", *place
        )
        return listed.split("\0")[:-1]

    def blobs(self, names: Sequence[tuple[str, str]]) -> list[str | None]:
        """Return the blobs of many files by one call.

        Args:
            names: revisions and paths.

        Returns:
            One a name, in order; ``None`` if there is no such file.
        """
        if not names:
            return []
        # A line break would make two lines of one name.
        lines = "".join(f"{rev}:{path}".replace("\n", "\0") + "\n" for rev, path in names)
        told = self._bytes("cat-file", "--batch-check", given=lines.encode()).decode()
        rows = [line.split(" ") for line in told.splitlines()]
        return [row[0] if len(row) == 3 and row[1] == "blob" else None for row in rows]

    # -- writing -----------------------------------------------------------------------------

    def make_branches(self, names: Sequence[str], commit: str, remote: str | None = None) -> None:
        """Create branches at a commit, also on a remote: all of them on both sides, or none.

        Raises:
            GitError: one is there already, or the remote refuses; nothing was changed.
        """
        self.move_branches([Move(name, commit, None, begins=True) for name in names], remote)

    def push(self, remote: str, branches: Sequence[str]) -> None:
        """Push local branches, all of them or none.

        Raises:
            GitError: the remote is not there, or refuses; nothing was changed.
        """
        local = self.local_branches()
        if missing := [name for name in branches if name not in local]:
            raise GitError(f"there is no branch `{missing[0]}` here.")
        self.move_branches([Move(name, local[name], local[name]) for name in branches], remote)

    def store(self, content: str | bytes) -> str:
        """Put a file's content into the repository; nothing refers to it yet.

        Returns:
            Its blob.
        """
        data = content.encode() if isinstance(content, str) else content
        return self._bytes("hash-object", "-w", "--stdin", given=data).decode().strip()

    def commit_files(
        self, branch: str, tip: str, files: Mapping[str, TreeEntry | None], message: str
    ) -> str:
        """Add one commit to a branch that no working tree stands on.

        Args:
            branch: its name; it may be missing here and is made then.
            tip: the commit to add to, which the branch stands on or is to be moved forward to.
            files: new entry by path; ``None`` removes the file.
            message: of the commit.

        Returns:
            The commit; ``tip`` if nothing changes.

        Raises:
            GitError: the branch has moved meanwhile.
        """
        before = self.local_branches().get(branch)
        commit = self.commit_on(tip, files, message)
        self.set_branch(branch, commit, before)
        return commit

    def set_branch(
        self, branch: str, commit: str, before: str | None, remote: str | None = None
    ) -> None:
        """Set a branch to a commit, here and on a remote: on both sides, or on none.

        Args:
            branch: that no working tree stands on; it is made if it is missing.
            commit: that holds all that the branch has held.
            before: commit of the branch when this began; ``None`` if it did not exist.
            remote: to push it to; by default it is not pushed.

        Raises:
            GitError: the branch has moved meanwhile, or the remote refuses; nothing was changed.
        """
        # Only if the branch has not moved since, so that nobody's commit is lost.
        self.move_branches([Move(branch, commit, before)], remote)

    def commit_on(self, tip: str, files: Mapping[str, TreeEntry | None], message: str) -> str:
        """Make a commit on top of another one; no branch has it yet.

        Returns:
            The commit; ``tip`` if nothing changes.
        """
        return self._commit(tip, files, message)

    def _commit(self, tip: str, files: Mapping[str, TreeEntry | None], message: str) -> str:
        tree = self._tree(tip, files)
        if tree == self._run("rev-parse", f"{tip}^{{tree}}"):
            return tip
        author = self._author()
        return self._run("commit-tree", tree, "-p", tip, "-F", "-", given=message, more=author)

    def _tree(self, tip: str, files: Mapping[str, TreeEntry | None]) -> str:
        # Mode 0 removes a path from the index.
        nothing = TreeEntry("0", "0" * len(tip))
        rows = [(path, entry or nothing) for path, entry in files.items()]
        lines = "".join(f"{entry.mode} {entry.blob}\t{path}\0" for path, entry in rows)
        # An index of its own: what the user has staged stays as it is.
        with tempfile.TemporaryDirectory(prefix="tunesmith-") as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._run("read-tree", tip, more=index)
            self._run("update-index", "-z", "--index-info", given=lines, more=index)
            return self._run("write-tree", more=index)

    def _author(self) -> dict[str, str]:
        """Environment that names the author, if Git's configuration has none."""
        if self._try("var", "GIT_COMMITTER_IDENT") is not None:
            return {}
        return {f"GIT_{who}_{k}": v for who in ("AUTHOR", "COMMITTER") for k, v in NOBODY.items()}
