"""The pull request that brings trained parameters to the main branch."""

from dataclasses import dataclass

from tunesmith.pipeline.git_host.api import GitHostError
from tunesmith.pipeline.git_host.host import GitHost, PullRequest
from tunesmith.pipeline.parameters import Parameters


@dataclass(frozen=True)
class PullRequestResult:
    """The pull request that is open now, or the page to open it."""

    url: str
    """Address of the pull request, or of the page where a person opens it."""
    number: int | None
    """``None`` if a person has to open it."""
    is_new: bool
    reason: str = ""
    """Reason for which it could not be opened."""
    checks_start: bool = True
    """True if the Git host starts its checks for what this job has opened and pushed."""


def ensure_pull_request(
    git_host: GitHost, source: str, target: str, title: str, body: str
) -> PullRequestResult:
    """Open a pull request, unless there is an open one.

    Args:
        git_host: to ask.
        source: the branch that it comes from.
        target: the branch that it goes into.
        title: in a line.
        body: Markdown.

    Raises:
        GitHostError: the Git host cannot be asked.
    """
    pull = git_host.pull_request(source)
    if pull is not None:
        return PullRequestResult(
            pull.url, pull.number, is_new=False, checks_start=git_host.starts_checks
        )
    try:
        made = git_host.open_pull_request(source, target, title, body)
    except GitHostError as error:
        # It may be there: by another job, or although no answer came.
        pull = git_host.pull_request(source)
        if pull is not None:
            starts = _starts_checks(git_host, pull)
            return PullRequestResult(pull.url, pull.number, is_new=True, checks_start=starts)
        link = git_host.new_pull_request_url(source, target)
        return PullRequestResult(link, None, is_new=False, reason=str(error).splitlines()[0])
    starts = _starts_checks(git_host, made)
    return PullRequestResult(made.url, made.number, is_new=True, checks_start=starts)


def _starts_checks(git_host: GitHost, pull: PullRequest) -> bool:
    """Tell whether the checks of a new pull request start: not if a job's own token opened it."""
    return git_host.starts_checks or pull.author not in ("", git_host.bot[0])


def title_of(parameters: Parameters | None, branch: str) -> str:
    """Return the default title of a pull request."""
    meta = {} if parameters is None else parameters.meta
    if "trial" not in meta or "study" not in meta:
        return f"Train {branch}"
    score = f" ({meta['metric']} {meta['mean']:.6g})" if {"metric", "mean"} <= set(meta) else ""
    return f"Train with trial {meta['trial']} of {meta['study']}{score}"
