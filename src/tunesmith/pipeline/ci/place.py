"""The branch that a job may commit to: the one that is checked out, if nothing contradicts it."""

from dataclasses import dataclass

from tunesmith.errors import UsageError
from tunesmith.pipeline.git_host.host import CIJob

USUAL = ("main", "master")
"""Usual names of default branches, for remotes that do not tell."""


@dataclass(frozen=True)
class CommitTarget:
    """A branch to commit to."""

    branch: str
    is_detached: bool
    """True if HEAD is detached: that it belongs to this branch is yet to be shown."""
    is_named: bool
    """True if the user has named it for this purpose."""
    is_in_ci: bool
    remote: str = "origin"

    @property
    def may_begin(self) -> bool:
        """True if the remote may lack it; a job's own branch that was deleted stays deleted."""
        return not self.is_detached and (self.is_named or not self.is_in_ci)

    def check_default(self, *told: str | None) -> None:
        """Refuse the default branch, unless it was named.

        Args:
            told: what it is called, by each that may know: the Git host, the remote. A job that is
                run again knows what it was once. ``None`` of those that do not tell.

        Raises:
            UsageError: it is one of these.
        """
        known = [name for name in told if name]
        # Usual names count only if nobody tells: elsewhere `master` may be a branch like others.
        is_default = self.branch in (known or USUAL)
        if is_default and not self.is_named:
            raise UsageError(
                f"`{self.branch}` is the default branch, and results belong on a branch of their"
                " own; nothing was committed.\n  Run this on a tuning branch. If the default branch"
                f" is meant: `--branch {self.branch}`."
            )


def place_for(checked_out: str | None, job: CIJob | None, named: str | None) -> CommitTarget:
    """Return the branch to commit to.

    A branch that is checked out is the one; what the job says has to agree with it. On a detached
    HEAD, as GitLab leaves it, it is the branch that the job says.

    Args:
        checked_out: the branch that HEAD stands on; ``None`` if it is detached.
        job: as the Git host describes it; ``None`` outside of CI.
        named: by the user, for this purpose.

    Raises:
        UsageError: it is not known which one, or the job may write to none; with the remedy.
    """
    if job is not None and job.foreign:
        raise UsageError(f"{job.foreign}.\n  Commit from a job that runs on a push.")
    is_in_ci = job is not None
    if checked_out is None:
        branch = named or (job.branch if job is not None else None)
        if branch is None:
            raise UsageError(
                "HEAD is detached, and no CI job says of which branch.\n  Check one out:"
                " `git switch BRANCH`."
            )
        return CommitTarget(branch, is_detached=True, is_named=named is not None, is_in_ci=is_in_ci)
    if named is not None and named != checked_out:
        raise UsageError(
            f"`{checked_out}` is checked out, and `--branch` names `{named}`; nothing was done.\n"
            f"  Check that one out: `git switch {named}`."
        )
    # Bots that trusted the job's variables alone have pushed commits of forks to main branches.
    if named is None and job is not None and job.branch != checked_out:
        where = f"for `{job.branch}`" if job.branch else "for no branch"
        raise UsageError(
            f"`{checked_out}` is checked out, and this job runs {where}; nothing was done.\n"
            f"  If what is checked out is meant: `--branch {checked_out}`."
        )
    return CommitTarget(
        checked_out, is_detached=False, is_named=named is not None, is_in_ci=is_in_ci
    )
