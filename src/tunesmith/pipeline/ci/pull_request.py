"""The pull request that brings trained parameters to the main branch."""

from dataclasses import dataclass

from tunesmith.pipeline.git_host.api import ForgeError
from tunesmith.pipeline.git_host.host import Forge, PullRequest
from tunesmith.pipeline.parameters import Parameters


@dataclass(frozen=True)
class Opened:
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


def ensure_pull_request(forge: Forge, source: str, target: str, title: str, body: str) -> Opened:
    """Open a pull request, unless there is an open one.

    Args:
        forge: to ask.
        source: the branch that it comes from.
        target: the branch that it goes into.
        title: in a line.
        body: Markdown.

    Raises:
        ForgeError: the Git host cannot be asked.
    """
    found = forge.pull_request(source)
    if found is not None:
        return Opened(found.url, found.number, is_new=False, checks_start=forge.starts_checks)
    try:
        made = forge.open_pull_request(source, target, title, body)
    except ForgeError as error:
        # It may be there: by another job, or although no answer came.
        found = forge.pull_request(source)
        if found is not None:
            starts = _starts_checks(forge, found)
            return Opened(found.url, found.number, is_new=True, checks_start=starts)
        link = forge.new_pull_request_url(source, target)
        return Opened(link, None, is_new=False, reason=str(error).splitlines()[0])
    starts = _starts_checks(forge, made)
    return Opened(made.url, made.number, is_new=True, checks_start=starts)


def _starts_checks(forge: Forge, pull: PullRequest) -> bool:
    """Tell whether the checks of a new pull request start: not if a job's own token opened it."""
    return forge.starts_checks or pull.author not in ("", forge.bot[0])


def title_of(parameters: Parameters | None, branch: str) -> str:
    """Return the default title of a pull request."""
    meta = {} if parameters is None else parameters.meta
    if "trial" not in meta or "study" not in meta:
        return f"Train {branch}"
    score = f" ({meta['metric']} {meta['mean']:.6g})" if {"metric", "mean"} <= set(meta) else ""
    return f"Train with trial {meta['trial']} of {meta['study']}{score}"
