"""GitHub, and GitHub Enterprise Server, as seen from a job of GitHub Actions.

REST API: https://docs.github.com/en/rest (version 2022-11-28). The token is ``GITHUB_TOKEN``, which
a workflow has to hand to the step.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tunesmith.pipeline.git_host.api import Api, GitHostError
from tunesmith.pipeline.git_host.host import CIJob, Comment, Login, PullRequest, needed

BOT = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
UNTOLD = (
    "GITHUB_TOKEN is not set.\n  Give it to the step: `env: {GITHUB_TOKEN: '${{ github.token }}'}`."
)
PULL_REF = re.compile(r"refs/pull/(\d+)/")
HEADS = "refs/heads/"
QUEUE = "gh-readonly-queue/"
"""Prefix of the branches of a merge queue; they come and go with it."""
OF_BRANCHES = ("push", "workflow_dispatch", "repository_dispatch", "schedule", "workflow_run")
"""Events whose ref is a branch of this repository, on which a job may write."""


ACTIONS_APP = 15368
"""The app as which GitHub Actions makes its checks."""


@dataclass(frozen=True)
class Required:
    """Requirements of a branch's rules for a pull request."""

    checks: tuple[str, ...]
    of_actions: frozenset[str] = frozenset()
    """Checks that only a workflow may report."""
    has_queue: bool = False
    """True if a merge queue stands before it."""
    branch: str = field(default="", compare=False)
    """Name of the branch; empty if that plays no part."""


class GitHub:
    """A repository on GitHub."""

    bot = BOT
    # What a job's own token pushes starts no workflow, and what it opens starts no checks.
    skip_ci: tuple[str, ...] = ()
    starts_checks = False

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._server = environ.get("GITHUB_SERVER_URL") or "https://github.com"
        self._base = environ.get("GITHUB_API_URL") or "https://api.github.com"
        self._name = needed(environ, "GITHUB_REPOSITORY")
        self._token = environ.get("GITHUB_TOKEN", "").strip()
        self.job = _job(environ, f"{self._server}/{self._name}")
        is_in = bool(self._token)
        self.push_hint = "" if is_in else UNTOLD
        self.login = Login(self._server, "x-access-token", self._token) if is_in else None

    @staticmethod
    def is_here(environ: Mapping[str, str]) -> bool:
        """Tell whether a job of GitHub Actions is running."""
        return environ.get("GITHUB_ACTIONS") == "true"

    @cached_property
    def _api(self) -> Api:
        if not self._token:
            raise GitHostError(UNTOLD)
        headers = {"Authorization": f"Bearer {self._token}", "X-GitHub-Api-Version": "2022-11-28"}
        return Api(self._base, headers)

    def warning(self, text: str) -> str:
        """A workflow command."""
        return f"::warning title=Tunesmith::{escaped(text)}"

    def new_pull_request_url(self, source: str, target: str) -> str:
        """The page that compares two branches."""
        compared = f"{quote(target)}...{quote(source)}"
        return f"{self._server}/{self._name}/compare/{compared}?expand=1"

    def author(self) -> str | None:
        """The token's user; a job's own token is refused here."""
        try:
            return str(self._api.get("user")["login"])
        except GitHostError as error:
            if error.status not in (401, 403, 404):
                raise
            return None

    def pull_request(self, branch: str) -> PullRequest | None:
        """The newest open pull request from a branch of this repository."""
        owner = self._name.partition("/")[0]
        query = {"state": "open", "head": f"{owner}:{branch}"}
        pulls = [
            _pull_request(item)
            for item in self._api.pages(f"repos/{self._name}/pulls", **query)
            # GitHub ignores a filter that it does not understand, and lists all pull requests.
            if item["head"]["ref"] == branch and _repository(item) == self._name.lower()
        ]
        return max(pulls, key=lambda pull: pull.number, default=None)

    def numbered(self, number: int) -> PullRequest | None:
        """The pull request of a number, open or not."""
        try:
            return _pull_request(self._api.get(f"repos/{self._name}/pulls/{number}"))
        except GitHostError as error:
            if error.status != 404:
                raise
            return None

    def required_checks(self, branch: str) -> Required:
        """Return the checks that rulesets and the protection of a branch require; asks the API.

        Raises:
            GitHostError: the Git host refused, or cannot be reached.
        """
        place = f"repos/{self._name}"
        rules = list(self._api.pages(f"{place}/rules/branches/{quote(branch, safe='')}"))
        listed = [
            check
            for rule in rules
            if rule.get("type") == "required_status_checks"
            for check in (rule.get("parameters") or {}).get("required_status_checks") or ()
        ]
        try:
            # Rulesets and the older protection of branches exist side by side.
            old = self._api.get(f"{place}/branches/{quote(branch, safe='')}") or {}
        except GitHostError as error:
            if error.status != 404:
                raise
            old = {}
        protection = (old.get("protection") or {}).get("required_status_checks") or {}
        names = [c["context"] for c in listed] + list(protection.get("contexts") or ())
        own = {c["context"] for c in listed if c.get("integration_id") == ACTIONS_APP}
        has_queue = any(rule.get("type") == "merge_queue" for rule in rules)
        return Required(tuple(dict.fromkeys(names)), frozenset(own), has_queue, branch)

    def comments(self, number: int) -> Iterator[Comment]:
        """All comments, oldest first."""
        path = f"repos/{self._name}/issues/{number}/comments"
        return (_comment(item) for item in self._api.pages(path))

    def comment(self, number: int, body: str) -> Comment:
        """Add a comment."""
        path = f"repos/{self._name}/issues/{number}/comments"
        return _comment(self._api.send("POST", path, {"body": body}))

    def change_comment(self, number: int, comment: int, body: str) -> Comment:  # noqa: ARG002
        """Replace the body of a comment."""
        path = f"repos/{self._name}/issues/comments/{comment}"
        return _comment(self._api.send("PATCH", path, {"body": body}))

    def delete_comment(self, number: int, comment: int) -> None:  # noqa: ARG002
        """Remove a comment."""
        path = f"repos/{self._name}/issues/comments/{comment}"
        self._api.send("DELETE", path, {})

    def open_pull_request(self, source: str, target: str, title: str, body: str) -> PullRequest:
        """Open one; the setting "Allow GitHub Actions to create pull requests" may forbid it."""
        content = {"head": source, "base": target, "title": title, "body": body}
        return _pull_request(self._api.send("POST", f"repos/{self._name}/pulls", content))

    def dispatch(self, workflow: str, branch: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow that has the trigger ``workflow_dispatch``."""
        path = f"repos/{self._name}/actions/workflows/{quote(workflow, safe='')}/dispatches"
        self._api.send("POST", path, {"ref": branch, "inputs": dict(inputs)})


def _job(environ: Mapping[str, str], repository: str) -> CIJob:
    event, told = environ.get("GITHUB_EVENT_NAME", ""), _payload(environ)
    pull = PULL_REF.match(environ.get("GITHUB_REF", ""))
    number = int(pull[1]) if pull else _number(told)
    source = environ.get("GITHUB_HEAD_REF")
    # The ref of a pull request's job is a merge that GitHub has made, and no branch.
    branch = source if source or number is not None else _branch(environ)
    run, summary = environ.get("GITHUB_RUN_ID"), environ.get("GITHUB_STEP_SUMMARY")
    return CIJob(
        branch=branch or None,
        target=environ.get("GITHUB_BASE_REF") or _queue_target(told),
        number=number,
        run_url=f"{repository}/actions/runs/{run}" if run else None,
        summary=Path(summary) if summary else None,
        event=event,
        default_branch=_text(told, "repository", "default_branch"),
        foreign=_foreign(environ, told, number, branch or ""),
    )


def _branch(environ: Mapping[str, str]) -> str | None:
    """The branch that the job's ref is; ``None`` for a tag, or if two variables disagree."""
    ref, name = environ.get("GITHUB_REF", ""), environ.get("GITHUB_REF_NAME", "")
    if environ.get("GITHUB_REF_TYPE", "branch") != "branch":
        return None
    if not ref:
        return name
    branch = ref.removeprefix(HEADS)
    return branch if branch != ref and name in ("", branch) else None


def _foreign(
    environ: Mapping[str, str], told: Mapping[str, Any], number: int | None, branch: str
) -> str | None:
    """Reason for which nothing may be committed; jobs not known to be a branch's are refused."""
    event = environ.get("GITHUB_EVENT_NAME", "")
    if event == "pull_request_target":
        return "this job runs for `pull_request_target`: what it checks out may be a fork's"
    if number is not None:
        return f"this job runs for pull request {number}, not for a branch"
    if environ.get("GITHUB_HEAD_REF"):
        return "this job runs for a pull request, not for a branch"
    if _follows_a_pull_request(told, environ):
        return (
            "this job runs after a workflow that ran for a pull request: what it checks out may be"
            " a fork's"
        )
    if event == "merge_group" or branch.startswith(QUEUE):
        return "this job runs for a merge queue, whose branches are gone once they are merged"
    if event and event not in OF_BRANCHES:
        return f"this job runs for `{event}`, which is no event of a branch"
    return None


def _follows_a_pull_request(told: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Tell whether the run that started this one was for a pull request or another repository."""
    if _text(told, "workflow_run", "event") in ("pull_request", "pull_request_target"):
        return True
    source = _text(told, "workflow_run", "head_repository", "full_name")
    own = environ.get("GITHUB_REPOSITORY", "")
    # `workflow_run` runs with a writing token, also after a run of a fork's code.
    return source is not None and source.lower() != own.lower()


def _payload(environ: Mapping[str, str]) -> Mapping[str, Any]:
    """The event's payload; empty if the file is missing or no JSON."""
    path = environ.get("GITHUB_EVENT_PATH")
    try:
        payload = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _text(told: Mapping[str, Any], *keys: str) -> str | None:
    """A text deep in a payload; ``None`` if it is not there."""
    part: Any = told
    for key in keys:
        part = part.get(key) if isinstance(part, Mapping) else None
    return part if isinstance(part, str) and part else None


def _number(told: Mapping[str, Any]) -> int | None:
    pull = told.get("pull_request")
    number = pull.get("number") if isinstance(pull, Mapping) else None
    return number if isinstance(number, int) else None


def _queue_target(told: Mapping[str, Any]) -> str | None:
    """The branch that a merge queue leads to."""
    target = _text(told, "merge_group", "base_ref")
    return target.removeprefix(HEADS) if target else None


def _pull_request(item: Mapping[str, Any]) -> PullRequest:
    source, target = item["head"]["ref"], item["base"]["ref"]
    author = str((item.get("user") or {}).get("login", ""))
    return PullRequest(item["number"], item["html_url"], source, target, author)


def _repository(item: Mapping[str, Any]) -> str:
    """Repository that a pull request comes from; empty if a fork was deleted."""
    return str((item["head"].get("repo") or {}).get("full_name", "")).lower()


def _comment(item: Mapping[str, Any]) -> Comment:
    user = item.get("user") or {}
    is_bot = user.get("type") == "Bot"
    return Comment(item["id"], item.get("body") or "", str(user.get("login", "")), is_bot)


def escaped(text: str) -> str:
    r"""Escape text inside of a workflow command.

    >>> escaped("100 %\n::error::x")
    '100 %25%0A::error::x'
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
