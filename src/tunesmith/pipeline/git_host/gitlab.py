"""GitLab, as seen from a job of GitLab CI.

REST API: https://docs.gitlab.com/api (version 4). A job's own token may neither read nor write
merge requests: a project access token with the scopes ``api`` and ``write_repository`` comes in
``TUNESMITH_TOKEN``.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from tunesmith.pipeline.git_host.api import Api, GitHostError
from tunesmith.pipeline.git_host.host import CIJob, Comment, Login, PullRequest, needed

WORKFLOW = "TUNESMITH_WORKFLOW"
"""Variable that names the workflow to a pipeline that ``dispatch`` has started."""

OF_BRANCHES = (
    "push",
    "web",
    "schedule",
    "api",
    "trigger",
    "pipeline",
    "parent_pipeline",
    "chat",
    "webide",
)
"""Sources of pipelines that run for a branch or tag of this project."""
OF_REQUESTS = ("CI_MERGE_REQUEST_", "CI_EXTERNAL_PULL_REQUEST_")
"""Prefixes of the variables that only jobs of merge requests have."""
REQUEST_REFS = "refs/merge-requests/"
UNTOLD = (
    "TUNESMITH_TOKEN is not set, and a job's own token may not do this.\n  Make a project access"
    " token (scopes `api` and `write_repository`, role Developer) and add it as a masked CI/CD"
    " variable; a protected one is not seen by branches that are not protected."
)

QUICK_ACTION = re.compile(r"^([^\S\r\n]*)/", re.MULTILINE)


class GitLab:
    """A project on GitLab."""

    # What a project's token pushes would start a pipeline, and that one the next.
    skip_ci: tuple[str, ...] = ("ci.skip",)
    starts_checks = True

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._base = needed(environ, "CI_API_V4_URL")
        self._id = needed(environ, "CI_PROJECT_ID")
        self._url = needed(environ, "CI_PROJECT_URL")
        self._own = environ.get("TUNESMITH_TOKEN", "").strip()
        self._jobs = environ.get("CI_JOB_TOKEN", "").strip()
        name, address = environ.get("GITLAB_USER_NAME"), environ.get("GITLAB_USER_EMAIL")
        self.bot = (name or "Tunesmith", address or "tunesmith@localhost")
        self.push_hint = "" if self._own else UNTOLD
        self.job = _job(environ)
        self.login = self._login(environ.get("CI_SERVER_URL") or self._url)

    def _login(self, server: str) -> Login | None:
        if self._own:
            return Login(server, "oauth2", self._own)
        return Login(server, "gitlab-ci-token", self._jobs) if self._jobs else None

    @staticmethod
    def is_here(environ: Mapping[str, str]) -> bool:
        """Tell whether a job of GitLab CI is running."""
        return environ.get("GITLAB_CI") == "true"

    @cached_property
    def _api(self) -> Api:
        if self._own:
            return Api(self._base, {"PRIVATE-TOKEN": self._own})
        if self._jobs:
            return Api(self._base, {"JOB-TOKEN": self._jobs}, hint=UNTOLD)
        raise GitHostError(UNTOLD)

    @property
    def _project(self) -> str:
        return f"projects/{quote(self._id, safe='')}"

    def warning(self, text: str) -> str:
        """A yellow line: GitLab has no warnings of its own."""
        return f"\x1b[33;1mWARNING: {' '.join(text.split())}\x1b[0m"

    def new_pull_request_url(self, source: str, target: str) -> str:
        """The page for a new merge request."""
        names = {"merge_request[source_branch]": source, "merge_request[target_branch]": target}
        return f"{self._url}/-/merge_requests/new?{urlencode(names)}"

    def author(self) -> str | None:
        """The token's user."""
        try:
            return str(self._api.get("user")["username"])
        except GitHostError as error:
            if error.status not in (401, 403, 404):
                raise
            return None

    def pull_request(self, branch: str) -> PullRequest | None:
        """The newest open merge request from a branch of this project."""
        query = {"state": "opened", "source_branch": branch}
        pulls = [
            _merge_request(item)
            for item in self._api.pages(f"{self._project}/merge_requests", **query)
            if item["source_branch"] == branch
            # The branch of a fork may have the same name.
            and item.get("source_project_id") == item.get("target_project_id")
        ]
        return max(pulls, key=lambda pull: pull.number, default=None)

    def numbered(self, number: int) -> PullRequest | None:
        """The merge request of a number, open or not."""
        try:
            return _merge_request(self._api.get(f"{self._project}/merge_requests/{number}"))
        except GitHostError as error:
            if error.status != 404:
                raise
            return None

    def comments(self, number: int) -> Iterator[Comment]:
        """All notes that are not GitLab's own, oldest first."""
        items = self._api.pages(self._notes(number), order_by="created_at", sort="asc")
        return (_comment(item) for item in items if not item.get("system"))

    def comment(self, number: int, body: str) -> Comment:
        """Add a note."""
        return _comment(self._api.send("POST", self._notes(number), {"body": inert(body)}))

    def change_comment(self, number: int, comment: int, body: str) -> Comment:
        """Give a note another body."""
        path = f"{self._notes(number)}/{comment}"
        return _comment(self._api.send("PUT", path, {"body": inert(body)}))

    def delete_comment(self, number: int, comment: int) -> None:
        """Remove a note."""
        self._api.send("DELETE", f"{self._notes(number)}/{comment}", {})

    def _notes(self, number: int) -> str:
        return f"{self._project}/merge_requests/{number}/notes"

    def open_pull_request(self, source: str, target: str, title: str, body: str) -> PullRequest:
        """Open a merge request."""
        content = {"source_branch": source, "target_branch": target, "title": title}
        path = f"{self._project}/merge_requests"
        return _merge_request(self._api.send("POST", path, {**content, "description": inert(body)}))

    def dispatch(self, workflow: str, branch: str, inputs: Mapping[str, str]) -> None:
        """Start a pipeline on a branch; the variable ``TUNESMITH_WORKFLOW`` names the workflow."""
        variables = {**inputs, WORKFLOW: workflow}
        if self._own:
            listed = [{"key": key, "value": value} for key, value in variables.items()]
            content = {"ref": branch, "variables": listed}
            self._api.send("POST", f"{self._project}/pipeline", content)
            return
        # A job's own token starts pipelines by triggers alone.
        trigger = {"ref": branch, "token": self._jobs, "variables": variables}
        self._api.send("POST", f"{self._project}/trigger/pipeline", trigger)


def inert(body: str) -> str:
    r"""Return text without quick actions: a report must not be able to merge itself.

    >>> inert("fine\n/merge\n  /approve")
    'fine\n\\/merge\n  \\/approve'
    """
    return QUICK_ACTION.sub(r"\1\/", body)


def _job(environ: Mapping[str, str]) -> CIJob:
    text = environ.get("CI_MERGE_REQUEST_IID", "")
    number = int(text) if text.isdigit() else None
    source = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")
    event = environ.get("CI_PIPELINE_SOURCE", "")
    return CIJob(
        branch=source or environ.get("CI_COMMIT_BRANCH") or None,
        target=environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME") or None,
        number=number,
        run_url=environ.get("CI_JOB_URL") or None,
        summary=None,
        event=event,
        default_branch=environ.get("CI_DEFAULT_BRANCH") or None,
        foreign=_foreign(environ, event, number),
    )


def _foreign(environ: Mapping[str, str], event: str, number: int | None) -> str | None:
    if number is not None:
        return f"this job runs for merge request {number}, not for a branch"
    # A child pipeline has its parent's variables, and a source of its own.
    is_request = any(value and name.startswith(OF_REQUESTS) for name, value in environ.items())
    if is_request or environ.get("CI_COMMIT_REF_NAME", "").startswith(REQUEST_REFS):
        return "this job runs for a merge request, not for a branch"
    if event and event not in OF_BRANCHES:
        return f"this pipeline runs for `{event}`, which is no event of a branch"
    return None


def _merge_request(item: Mapping[str, Any]) -> PullRequest:
    names = item["source_branch"], item["target_branch"]
    author = str((item.get("author") or {}).get("username", ""))
    # `iid` counts within the project, as in addresses, and `id` over the whole server.
    return PullRequest(item["iid"], item["web_url"], *names, author)


def _comment(item: Mapping[str, Any]) -> Comment:
    author = item.get("author") or {}
    name = str(author.get("username", ""))
    # Not every answer says `bot`; the users of access tokens have such names.
    is_bot = bool(author.get("bot")) or name.startswith(("project_", "group_"))
    return Comment(item["id"], item.get("body") or "", name, is_bot)
