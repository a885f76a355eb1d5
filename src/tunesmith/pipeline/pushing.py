"""Pushing: nobody's commit is lost, and both sides change, or neither does.

A push carries a lease on the tip that it was made for, and never rewrites what a branch holds.
Local branches are locked while the remote is asked, and move once it has agreed.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tunesmith.errors import StorageError
from tunesmith.pipeline.filters import Filters
from tunesmith.system import faults
from tunesmith.system.git import GIT, GitError, reason, variables

PUSH_TIMEOUT_S = 120
NO_OPTIONS = "does not support push options"
HEADS = "refs/heads/"
REJECTED = re.compile(r"^ *! \[", re.MULTILINE)
"""The form in which Git lists a branch that was refused."""
CONTENDED = re.compile(
    r"^ *! \[[^\]]*\].*\(.*(?:stale info|fetch first|non-fast-forward|cannot lock ref"
    r"|failed to lock|failed to update ref|incorrect old value|reference already exists).*\)\s*$",
    re.MULTILINE,
)
"""Git's messages if somebody else has pushed, or is pushing, at the same time."""
REMOTE_LINE = re.compile(r"^remote: ?(.*\S)\s*$", re.MULTILINE)
PROGRESS = ("Resolving deltas", "Processing changes", "Compressing objects", "Counting objects")
MAX_LINES = 12


class PushRefusedError(GitError):
    """A remote has refused a push.

    Args:
        message: for the user.
        said: all that Git has printed.
        is_contended: true if Git says that somebody else is pushing, too.
    """

    def __init__(self, message: str, said: str, *, is_contended: bool) -> None:
        super().__init__(message, said)
        self.is_contended = is_contended


@dataclass(frozen=True)
class RemoteState:
    """State of a remote."""

    default_branch: str | None
    """``None`` if its HEAD leads nowhere."""
    tips: Mapping[str, str]
    """Commit by branch, of the requested branches that exist."""


@dataclass(frozen=True)
class Move:
    """A local branch that is to stand on another commit."""

    branch: str
    commit: str
    before: str | None
    """Its commit now; ``None`` if it is not there yet."""
    begins: bool = False
    """True if it must not exist yet, on either side."""


class Pushing(Filters):
    """A repository with remotes."""

    def ask_remote(self, remote: str, branches: Sequence[str]) -> RemoteState:
        """Ask the place that a remote is pushed to for its branches, and its default branch.

        Raises:
            GitError: the remote is not there.
        """
        wanted = ["HEAD", *(f"{HEADS}{name}" for name in branches)]
        arguments = ("ls-remote", "--symref", "--", self.pushed_to(remote), *wanted)
        try:
            told = self._run(*arguments, timeout_s=PUSH_TIMEOUT_S)
        except GitError as error:
            raise GitError(self._unknown(remote, str(error)), error.said) from None
        rows = [line.split("\t") for line in told.splitlines() if "\t" in line]
        heads = [value for value, name in rows if name == "HEAD" and value.startswith("ref: ")]
        default = heads[0].removeprefix(f"ref: {HEADS}") if heads else None
        tips = {name: value for value, name in rows if name in wanted[1:]}
        return RemoteState(default, {k.removeprefix(HEADS): v for k, v in tips.items()})

    def pushed_to(self, remote: str) -> str:
        """Name the place that a push to a remote goes to: the remote, or an address of its own.

        What is fetched elsewhere, as from a mirror, tells nothing of what a push will meet.
        """
        places = [
            self._try("remote", "get-url", *option, "--", remote) for option in ([], ["--push"])
        ]
        return places[1] if places[1] and places[0] != places[1] else remote

    def push_commits(
        self,
        remote: str,
        commits: Mapping[str, str],
        tips: Mapping[str, str],
        options: Sequence[str] = (),
    ) -> None:
        """Push commits to branches, all of them or none; objects of Git LFS go first.

        Args:
            remote: its name or address.
            commits: by branch.
            tips: commits of these branches on the remote now; missing branches are made.
            options: for the server.

        Raises:
            PushRefusedError: a branch has other commits there, or the server has rules against it.
            GitError: the remote cannot be reached, or an object is missing.
        """
        # Objects go first: a pointer that arrives without its object breaks every clone.
        self.upload_objects(remote, list(commits.values()), list(tips.values()))
        # A lease would allow to rewrite a branch, which nobody has asked for: then the usual
        # rule holds, by which Git refuses.
        known = {b: t for b, t in tips.items() if b in commits}
        safe = [b for b in commits if b not in known or self.is_ancestor(known[b], commits[b])]
        leases = [f"--force-with-lease={HEADS}{b}:{known.get(b, '')}" for b in safe]
        pushed = [f"--push-option={option}" for option in options]
        # The user's settings must not sign the push, or add tags and submodules to it.
        alone = ("--no-signed", "--no-follow-tags", "--recurse-submodules=no")
        # A single branch moves in one step anyway, and some servers refuse `--atomic`.
        atomic = ["--atomic"] if len(commits) > 1 else []
        refs = [f"{commit}:{HEADS}{branch}" for branch, commit in commits.items()]
        arguments = ("push", "--quiet", *alone, *atomic, *leases, *pushed, "--", remote, *refs)
        try:
            self._run(*arguments, timeout_s=PUSH_TIMEOUT_S)
        except GitError as error:
            if REJECTED.search(error.said):
                raise self._refused(remote, list(commits), error) from None
            self._look_again(remote, commits, known, error)
        except StorageError as error:
            self._look_again(remote, commits, known, GitError(str(error), str(error)))

    def _look_again(
        self, remote: str, commits: Mapping[str, str], tips: Mapping[str, str], error: GitError
    ) -> None:
        """Look at the remote after a push whose end was not told: it may have arrived.

        Raises:
            GitError: it has not, or that cannot be found out.
        """
        try:
            now = self.ask_remote(remote, list(commits)).tips
        except (GitError, StorageError):
            now = None
        # A connection may break after the server has taken the push.
        if now == dict(commits):
            return
        said = f"{remote} could not be reached ({error})."
        if now == dict(tips):
            raise GitError(f"{said}\n  Nothing was changed there.", error.said) from None
        named = " ".join(commits)
        raise GitError(
            f"{said}\n  It is not known whether the push has arrived. Look before you try again:"
            f" `git ls-remote {remote} {named}`.",
            error.said,
        ) from None

    def _refused(self, remote: str, branches: Sequence[str], error: GitError) -> GitError:
        named = " and ".join(f"`{name}`" for name in branches)
        lines = [f"{remote} refused the push of {named}: {error}", *remote_lines(error.said)]
        is_contended = CONTENDED.search(error.said) is not None
        return PushRefusedError("\n  ".join(lines), error.said, is_contended=is_contended)

    def _unknown(self, remote: str, said: str) -> str:
        known = self._run("remote").split()
        if remote in known or "/" in remote or ":" in remote:
            return f"{remote} could not be reached ({said}).\n  Nothing was changed there."
        listed = f"Known: {', '.join(known)}." if known else "Add one: `git remote add origin URL`."
        return f"there is no remote `{remote}`. {listed}"

    # -- both sides --------------------------------------------------------------------------

    def move_branches(self, moves: Sequence[Move], remote: str | None) -> None:
        """Move local branches, and those of a remote: all of them, or none.

        Args:
            moves: of branches that no working tree stands on.
            remote: to push them to; by default they are not pushed.

        Raises:
            GitError: a branch has moved meanwhile, or the remote refuses; nothing was changed.
        """
        with self._prepared([move for move in moves if move.commit != move.before], remote):
            if remote is not None:
                self._push_moves(moves, remote)
        if remote is not None:
            self._follow(moves, remote)

    def _push_moves(self, moves: Sequence[Move], remote: str) -> None:
        commits = {move.branch: move.commit for move in moves}
        state = self.ask_remote(remote, list(commits))
        if taken := [m.branch for m in moves if m.begins and m.branch in state.tips]:
            named = " and ".join(f"`{name}`" for name in taken)
            raise GitError(
                f"{remote} has {named} already; nothing was changed.\n  Take another name, or go on"
                f" with it: `git fetch {remote}`."
            )
        try:
            self.push_commits(remote, commits, state.tips)
        except PushRefusedError as error:
            way = self._way_out(remote, commits, state)
            raise PushRefusedError(
                f"{error}\n  {way}", error.said, is_contended=error.is_contended
            ) from None

    def _way_out(self, remote: str, commits: Mapping[str, str], state: RemoteState) -> str:
        for branch, tip in state.tips.items():
            if self.is_ancestor(tip, commits[branch]):
                continue
            if self.was_here(branch, tip):
                return (
                    f"`{branch}` was rewritten here (rebased or amended); nothing was changed. If"
                    " nobody else works on it:"
                    f" `git push --force-with-lease {remote} {branch}`, and again."
                )
            return f"Fetch and look: `git fetch {remote} {branch}`; nothing was changed."
        return "Nothing was changed, neither here nor there."

    def was_here(self, branch: str, commit: str) -> bool:
        """Tell whether a local branch has stood on a commit that it does not hold any more."""
        # After a rebase or an amended commit, the reflog still knows the old commit.
        listed = self._try("log", "--walk-reflogs", "--format=%H", f"{HEADS}{branch}", "--")
        return commit in (listed or "").split()

    def _follow(self, moves: Sequence[Move], remote: str) -> None:
        """Set the upstream, so that `git pull` and `git push` need no names; failing is allowed."""
        if remote in self._run("remote").split():
            for move in moves:
                self._try("config", f"branch.{move.branch}.remote", remote)
                self._try("config", f"branch.{move.branch}.merge", f"{HEADS}{move.branch}")

    @contextmanager
    def _prepared(self, moves: Sequence[Move], remote: str | None) -> Iterator[None]:
        """Lock local branches; they move when all within has gone well, and else stay."""
        lines = [
            f"update {HEADS}{m.branch} {m.commit} {m.before or '0' * len(m.commit)}\n"
            for m in moves
        ]
        with subprocess.Popen(  # noqa: S603 - a fixed program, no shell
            [*GIT, "-C", str(self.root), "update-ref", "--stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=variables({}),
            text=True,
        ) as git:
            _tell(git, f"start\n{''.join(lines)}prepare\n", "prepare: ok")
            try:
                faults.reach("git.prepared")
                yield
                faults.reach("git.commit")
            except BaseException:
                # At the end of its input Git aborts a transaction that was not committed.
                git.communicate()
                raise
            try:
                _tell(git, "commit\n", "commit: ok")
            except GitError as error:
                raise GitError(_half(moves, remote, error), error.said) from None


def _half(moves: Sequence[Move], remote: str | None, error: GitError) -> str:
    """Return the message if the local branches could not be moved although they were locked."""
    if remote is None:
        return f"{error}\n  Nothing was changed."
    named = " and ".join(f"`{move.branch}`" for move in moves)
    refs = " ".join(f"{move.branch}:{move.branch}" for move in moves)
    return (
        f"{remote} has {named} now, but here nothing could be moved ({error}).\n  Mend that, and"
        f" fetch: `git fetch {remote} {refs}`."
    )


def _tell(git: "subprocess.Popen[str]", text: str, wanted: str) -> None:
    """Send a line to a transaction, and wait for its answer.

    Raises:
        GitError: it did not.
    """
    stdin, stdout, stderr = git.stdin, git.stdout, git.stderr
    assert stdin is not None and stdout is not None and stderr is not None  # noqa: S101, PT018
    try:
        stdin.write(text)
        stdin.flush()
    # Git has ended by itself, and its error output holds the reason.
    except BrokenPipeError:
        pass
    while line := stdout.readline():
        if line.strip() == wanted:
            return
    said = stderr.read()
    raise GitError(reason(said), said)


def remote_lines(said: str) -> list[str]:
    """Return the lines that the server itself has sent about a push.

    >>> remote_lines("remote: error: GH006: Protected branch.  \\nremote:\\nTo x\\n ! [rejected]")
    ['remote: error: GH006: Protected branch.']
    """
    lines = [line for line in REMOTE_LINE.findall(said) if not line.startswith(PROGRESS)]
    return [f"remote: {line}" for line in lines[:MAX_LINES]]
