"""The branch that a change is compared with, as the Git host or the remote names it."""

import shlex
from dataclasses import dataclass

from tunesmith.config.prefixes import Prefixes
from tunesmith.pipeline.branches.experiment import USUAL
from tunesmith.pipeline.ci.checkout import Checkout
from tunesmith.pipeline.ci.place import USUAL as USUAL_NAMES
from tunesmith.pipeline.git_host.api import GitHostError
from tunesmith.pipeline.git_host.host import GitHost, PullRequest
from tunesmith.reporting.escape import md_code
from tunesmith.system.git import GitError

ORIGIN = "origin"
UNKNOWN = "the default branch"


@dataclass(frozen=True)
class Base:
    """The branch or commit that a change is compared with."""

    name: str
    commit: str | None
    """``None`` if it is not here."""
    note: str = ""
    """Reason for which it is not here, with the remedy, as Markdown; or how it was found."""


def base_of(
    checkout: Checkout,
    git_host: GitHost | None,
    given: str | None,
    pull: PullRequest | None = None,
    prefixes: Prefixes = USUAL,
) -> Base:
    """The branch or commit that a change is compared with.

    Args:
        checkout: of the job.
        git_host: the Git host that the job runs on.
        given: a revision; it counts before all else.
        pull: the pull request of this branch; what it goes into counts next.
        prefixes: of the branches of experiments.
    """
    if given is not None:
        commit = checkout.commit_of(given)
        note = "" if commit else f"{md_code(given)} names no commit of this clone."
        return Base(given, commit, note)
    target = pull.target if pull is not None else None
    told = target or (git_host.job.target if git_host else None)
    name = told or default_branch(checkout, git_host, prefixes)
    if name is None:
        return Base(UNKNOWN, None, _unknown(checkout, prefixes))
    # The remote's branch first: a local one may be behind it.
    here = checkout.commit_of(f"refs/remotes/{ORIGIN}/{name}")
    commit = here or checkout.commit_of(f"refs/heads/{name}")
    return Base(name, commit, "" if commit else _missing(checkout, name))


def _unknown(checkout: Checkout, prefixes: Prefixes) -> str:
    """Say that no branch is known to be the default one, and how to name it."""
    others = _others(checkout, prefixes)
    listed = ", ".join(map(md_code, others[:5]))
    of_several = f"which of {listed}" if len(others) > 1 else f"whether {listed}"
    note = f"Nobody tells {of_several if others else 'which branch'} is the default branch:"
    # Without a remote there is nobody to ask.
    is_asked = ORIGIN in checkout.remotes()
    ask = f" {md_code(_asking(checkout))} asks the remote, or" if is_asked else ""
    return f"{note}{ask} name it with `--base REV`."


def _asking(checkout: Checkout) -> str:
    # First all branches: Git takes none for the default one that is not here.
    return f"{_fetch(checkout, '*')} && git remote set-head {ORIGIN} --auto"


def _missing(checkout: Checkout, name: str) -> str:
    return f"Fetch it before: {md_code(_fetch(checkout, name))}."


def _fetch(checkout: Checkout, name: str) -> str:
    depth = " --depth=1" if checkout.is_shallow() else ""
    reference = shlex.quote(f"+refs/heads/{name}:refs/remotes/{ORIGIN}/{name}")
    return f"git fetch{depth} {ORIGIN} {reference}"


def default_branch(
    checkout: Checkout, git_host: GitHost | None, prefixes: Prefixes = USUAL
) -> str | None:
    """Return the repository's default branch, as the job's variables or the remote name it.

    If neither names it, it is the only branch beside those of experiments: in a repository without
    a remote, or if it has a usual name. With a remote, others that are not here may be the default.

    Args:
        checkout: of the job.
        git_host: the Git host that the job runs on.
        prefixes: of the branches of experiments.

    Returns:
        ``None`` if that does not settle it.
    """
    if checkout.default_branch is not None:
        return checkout.default_branch
    told = checkout.remote_head(ORIGIN)
    if told is None and git_host is not None:
        try:
            told = checkout.ask_remote(ORIGIN, []).default_branch
        except GitError:
            told = None
    if told is not None:
        return told
    others = _others(checkout, prefixes)
    # Of several, none is chosen by its name: a wrong base shows a regression as a gain.
    if len(others) != 1:
        return None
    is_settled = others[0] in USUAL_NAMES or not checkout.remotes()
    return others[0] if is_settled else None


def _others(checkout: Checkout, prefixes: Prefixes) -> list[str]:
    """Branches that are no experiment's."""
    branches = {*checkout.local_branches(), *checkout.remote_branches()}
    return sorted(name for name in branches if not name.startswith(prefixes.both))


def pull_request_of(
    git_host: GitHost | None, branch: str | None, number: int | None = None
) -> tuple[PullRequest | None, str]:
    """Return the pull request that a job is about, as far as the Git host tells.

    Args:
        git_host: the Git host that the job runs on.
        branch: of the job.
        number: of the pull request, if it was named.

    Returns:
        It, or ``None``; and why it could not be looked up, if it could not.
    """
    if git_host is None or git_host.login is None:
        return None, ""
    try:
        if number is not None:
            return git_host.numbered(number), ""
        # The job's own variables name the target: the API need not be asked.
        is_known = git_host.job.target is not None or branch is None
        return (None if is_known else git_host.pull_request(str(branch))), ""
    except GitHostError as error:
        return None, str(error).splitlines()[0]
