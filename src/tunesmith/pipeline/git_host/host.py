"""The interface of a Git host, and the Git host that this job runs on."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tunesmith import registry
from tunesmith.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class CIJob:
    """Facts about a CI job, from its environment."""

    branch: str | None
    """Branch that it runs on; ``None`` on a tag."""
    target: str | None
    """Branch that its pull request goes into, if it runs for one."""
    number: int | None
    """Number of that pull request."""
    run_url: str | None
    """Address at which you can watch it."""
    summary: Path | None
    """File whose text is shown with the job, if the Git host has such a thing."""
    event: str = ""
    """Event that has started the job, in the Git host's own word; empty if it is not known."""
    default_branch: str | None = None
    """Default branch, as the Git host tells the job; ``None`` if it does not."""
    foreign: str | None = None
    """Reason for which this job runs for no branch of its own, so that it may commit to none;
    ``None`` if it runs for one."""


@dataclass(frozen=True)
class PullRequest:
    """A pull request; GitLab calls it a merge request."""

    number: int
    url: str
    source: str
    target: str
    author: str = ""
    """Its author; empty if the Git host does not tell."""


@dataclass(frozen=True)
class Comment:
    """A comment on a pull request."""

    id: int
    body: str
    author: str
    is_bot: bool


@dataclass(frozen=True)
class Login:
    """Access for Git: the server's address, and a user with a token."""

    server: str
    user: str
    token: str


class GitHost(Protocol):
    """A repository on a Git host, as seen from a job that runs there.

    It is made from the environment of a job, which tells most of it; only methods that say
    ``GitHostError`` ask the API.
    """

    job: CIJob
    bot: tuple[str, str]
    """Name and address of the committer in CI."""
    login: Login | None
    """``None`` without a token."""
    skip_ci: tuple[str, ...]
    """Options of ``git push`` after which nothing is run; none are needed if a job's own token
    starts nothing. A server that takes none gets ``[skip ci]`` in the message."""
    push_hint: str
    """Advice if Git is refused; empty if there is nothing to add."""
    starts_checks: bool
    """True if the checks of a pull request start although a job's own token has opened it."""

    @staticmethod
    def is_here(environ: Mapping[str, str]) -> bool:
        """Tell whether this is a job of such a Git host."""

    def warning(self, text: str) -> str:
        """Return a line of the log that the Git host shows as a warning."""

    def new_pull_request_url(self, source: str, target: str) -> str:
        """Address at which a person opens a pull request."""

    def author(self) -> str | None:
        """Author of comments with this token; ``None`` if the API does not tell.

        Raises:
            GitHostError: the Git host refused, or cannot be reached.
        """

    def pull_request(self, branch: str) -> PullRequest | None:
        """Return the open pull request from a branch of this repository; of several the newest.

        Raises:
            GitHostError: as above.
        """

    def numbered(self, number: int) -> PullRequest | None:
        """Return the pull request of a number, open or not; ``None`` if there is none.

        Raises:
            GitHostError: as above.
        """

    def comments(self, number: int) -> Iterator[Comment]:
        """Yield all comments of people and programs on a pull request, oldest first.

        Raises:
            GitHostError: as above.
        """

    def comment(self, number: int, body: str) -> Comment:
        """Add a comment.

        Raises:
            GitHostError: as above; ``is_unclear`` if it may have been added all the same.
        """

    def change_comment(self, number: int, comment: int, body: str) -> Comment:
        """Replace the body of a comment.

        Raises:
            GitHostError: as above.
        """

    def delete_comment(self, number: int, comment: int) -> None:
        """Remove a comment.

        Raises:
            GitHostError: as above.
        """

    def open_pull_request(self, source: str, target: str, title: str, body: str) -> PullRequest:
        """Open a pull request.

        Raises:
            GitHostError: as above; also if the project's settings forbid it.
        """

    def dispatch(self, workflow: str, branch: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow on a branch.

        Raises:
            GitHostError: as above.
        """


def git_host_here(environ: Mapping[str, str] | None = None) -> GitHost | None:
    """Return the Git host that this job runs on; ``None`` outside of CI."""
    environ = os.environ if environ is None else environ
    for name in registry.names("git_hosts"):
        kind = registry.load("git_hosts", name)
        if kind.is_here(environ):
            made: GitHost = kind(environ)
            return made
    return None


def git_host_needed(environ: Mapping[str, str] | None = None) -> GitHost:
    """Return the same, for commands that need one.

    Raises:
        UsageError: this is no CI job of a known Git host.
    """
    git_host = git_host_here(environ)
    if git_host is None:
        known = ", ".join(registry.names("git_hosts"))
        raise UsageError(f"this is no CI job of a Git host that is known here ({known}).")
    return git_host


def needed(environ: Mapping[str, str], name: str) -> str:
    """Return a variable that the Git host sets for every job.

    Raises:
        UsageError: it does not.
    """
    value = environ.get(name, "")
    if not value:
        raise UsageError(f"{name} is not set, and the Git host sets it for every job.")
    return value
