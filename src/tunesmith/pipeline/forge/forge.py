"""What Tunesmith wants of a forge, and which forge this job runs on."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tunesmith import registry
from tunesmith.errors import UsageError


@dataclass(frozen=True)
class Job:
    """What a CI job is told about itself."""

    branch: str | None
    """That it runs on; ``None`` on a tag."""
    target: str | None
    """That its pull request goes into, where it runs for one."""
    number: int | None
    """Of that pull request."""
    run_url: str | None
    """Where one can watch it."""
    summary: Path | None
    """The file that is shown with the job, if the forge has such a thing."""
    event: str = ""
    """That has started the job, in the forge's own word; empty if it is not known."""
    default_branch: str | None = None
    """Of the repository, as the forge tells the job; ``None`` if it does not."""
    foreign: str | None = None
    """Why this job does not run for a branch of its own, so that nothing may be committed to one;
    ``None`` if it does."""


@dataclass(frozen=True)
class PullRequest:
    """An open one; GitLab calls it a merge request."""

    number: int
    url: str
    source: str
    target: str
    author: str = ""
    """Who opened it; empty if the forge does not tell."""


@dataclass(frozen=True)
class Comment:
    """A comment on a pull request."""

    id: int
    body: str
    author: str
    is_bot: bool


@dataclass(frozen=True)
class Login:
    """How Git gets in: the server's address, and a user with a token."""

    server: str
    user: str
    token: str


class Forge(Protocol):
    """A repository on a forge, as seen from a job that runs there.

    It is made from the environment of a job, which tells most of it; only methods that say
    ``ForgeError`` ask the API.
    """

    job: Job
    bot: tuple[str, str]
    """Name and address of who commits in CI."""
    login: Login | None
    """``None`` without a token."""
    skip_ci: tuple[str, ...]
    """Options of ``git push`` after which nothing is run; none are needed if a job's own token
    starts nothing. A server that takes none gets ``[skip ci]`` in the message."""
    push_hint: str
    """What to say if Git is not let in; empty if there is nothing to add."""
    starts_checks: bool
    """Whether the checks of a pull request start although a job's own token has opened it."""

    @staticmethod
    def is_here(environ: Mapping[str, str]) -> bool:
        """Whether this is a job of such a forge."""

    def warning(self, text: str) -> str:
        """A line of the log that the forge shows as a warning."""

    def new_pull_request_url(self, source: str, target: str) -> str:
        """Where a person opens one."""

    def author(self) -> str | None:
        """Who comments with this token; ``None`` where the API does not tell.

        Raises:
            ForgeError: the forge refused, or cannot be reached.
        """

    def pull_request(self, branch: str) -> PullRequest | None:
        """The open one from a branch of this repository; of several the newest.

        Raises:
            ForgeError: as above.
        """

    def numbered(self, number: int) -> PullRequest | None:
        """The pull request of a number, open or not; ``None`` if there is none.

        Raises:
            ForgeError: as above.
        """

    def comments(self, number: int) -> Iterator[Comment]:
        """All comments of people and programs on a pull request, oldest first.

        Raises:
            ForgeError: as above.
        """

    def comment(self, number: int, body: str) -> Comment:
        """Add one.

        Raises:
            ForgeError: as above; ``is_unclear`` where it may have been added all the same.
        """

    def change_comment(self, number: int, comment: int, body: str) -> Comment:
        """Give one another body.

        Raises:
            ForgeError: as above.
        """

    def delete_comment(self, number: int, comment: int) -> None:
        """Remove one.

        Raises:
            ForgeError: as above.
        """

    def open_pull_request(self, source: str, target: str, title: str, body: str) -> PullRequest:
        """Open one.

        Raises:
            ForgeError: as above; also where the project's settings forbid it.
        """

    def dispatch(self, workflow: str, branch: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow on a branch.

        Raises:
            ForgeError: as above.
        """


def forge_here(environ: Mapping[str, str] | None = None) -> Forge | None:
    """The forge that this job runs on; ``None`` outside of CI."""
    environ = os.environ if environ is None else environ
    for name in registry.names("forges"):
        kind = registry.load("forges", name)
        if kind.is_here(environ):
            found: Forge = kind(environ)
            return found
    return None


def forge_needed(environ: Mapping[str, str] | None = None) -> Forge:
    """The same, where there must be one.

    Raises:
        UsageError: this is no CI job of a known forge.
    """
    forge = forge_here(environ)
    if forge is None:
        known = ", ".join(registry.names("forges"))
        raise UsageError(f"this is no CI job of a forge that is known here ({known}).")
    return forge


def needed(environ: Mapping[str, str], name: str) -> str:
    """A variable that the forge sets for every job.

    Raises:
        UsageError: it does not.
    """
    value = environ.get(name, "")
    if not value:
        raise UsageError(f"{name} is not set, and the forge sets it for every job.")
    return value
