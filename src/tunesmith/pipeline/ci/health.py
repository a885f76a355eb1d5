"""Findings of ``tunesmith doctor`` about required checks on GitHub that can never run."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tunesmith.errors import TunesmithError
from tunesmith.formats import FormatError, yaml
from tunesmith.pipeline.git_host.github import Required
from tunesmith.pipeline.git_host.host import Login

FOLDER = ".github/workflows"
OWN_TOKENS = ("github.token", "secrets.GITHUB_TOKEN")
EXPRESSION = "${{"
NAME = "ci checks"


@runtime_checkable
class RequiringHost(Protocol):
    """A Git host whose rules can require checks by their names."""

    login: Login | None

    def required_checks(self, branch: str) -> Required:
        """Return the checks that the rules of a branch require."""


@dataclass(frozen=True)
class CheckFinding:
    """One line of ``tunesmith doctor``."""

    is_well: bool | None
    """``None`` if it may be well and a person has to judge."""
    detail: str
    name: str = NAME


@dataclass(frozen=True)
class Workflow:
    """The properties of a workflow's file that decide about its checks."""

    file: str
    events: Mapping[str, Any]
    checks: tuple[str, ...]
    """Names of its jobs, as the list of checks shows them."""
    opens: bool = False
    """True if it opens pull requests with the job's own token."""
    starts: tuple[str, ...] = field(default=())
    """Workflows that it starts after that."""

    @property
    def _filters(self) -> Mapping[str, Any]:
        """Filters that restrict its runs for pull requests."""
        about = self.events.get("pull_request", self.events.get("pull_request_target"))
        return about if isinstance(about, dict) else {}

    @property
    def is_filtered(self) -> bool:
        """True if some changes start no run of it, so that its checks stay pending."""
        return bool({"paths", "paths-ignore"} & self._filters.keys())

    @property
    def waits_for_people(self) -> bool:
        """True if neither a new pull request nor a push to one starts it."""
        types = self._filters.get("types")
        listed = [types] if isinstance(types, str) else types
        return isinstance(listed, list) and not {"opened", "synchronize"} & set(map(str, listed))

    def leaves_out(self, branch: str) -> bool:
        """Tell whether pull requests into a branch surely start no run of it."""
        wanted, unwanted = (self._filters.get(key) for key in ("branches", "branches-ignore"))
        if wanted is not None:
            return likeness(branch, wanted) is False
        return unwanted is not None and likeness(branch, unwanted) is True

    def makes(self, check: str) -> bool | None:
        """Tell whether a check is of this workflow; ``None`` if its names are made at run time."""
        # A matrix adds ` (…)` to the name of a job, a reusable workflow ` / …`.
        if any(check == n or check.startswith((f"{n} (", f"{n} / ")) for n in self.checks):
            return True
        return None if any(EXPRESSION in name for name in self.checks) else False


def findings(root: Path, required: Required | None) -> list[CheckFinding]:
    """Look at the workflows of a repository.

    Args:
        root: of the repository.
        required: checks that its rules require; ``None`` if the rules could not be read.
    """
    workflows = list(read_workflows(root / FOLDER))
    if not workflows:
        return []
    listed = list(_of_rules(workflows, required) if required else _unasked(workflows))
    return listed or [CheckFinding(True, "none that could not run was found")]


def _unasked(workflows: Sequence[Workflow]) -> Iterator[CheckFinding]:
    """Yield what is known without the rules: checks that our own pull requests do not start."""
    for workflow in workflows:
        if (opener := _opener(workflows)) and _never_starts(workflow, workflows):
            yield CheckFinding(
                None,
                f"{workflow.file} does not run for pull requests that {opener.file} opens with the"
                f" job's own token.\nIf its checks ({', '.join(workflow.checks)}) are required:"
                " give it the trigger `workflow_dispatch` and `ci pull-request --dispatch"
                f" {workflow.file}`, or that step another token.",
            )


def _of_rules(workflows: Sequence[Workflow], required: Required) -> Iterator[CheckFinding]:
    for check in required.checks:
        makers = [w for w in workflows if w.makes(check)]
        if makers:
            reasons = [_reason(maker, workflows, required) for maker in makers]
            if all(reasons):
                yield CheckFinding(False, f"`{check}` is required, and {reasons[0]}.")
        # A name that is made at run time may be the required one: nothing is claimed then.
        elif not any(w.makes(check) is None for w in workflows):
            is_sure = check in required.of_actions
            rest = "it can never run" if is_sure else "unless an app makes it, it can never run"
            detail = f"`{check}` is required, and no workflow here has such a job: {rest}."
            yield CheckFinding(False if is_sure else None, detail)


def _reason(maker: Workflow, workflows: Sequence[Workflow], required: Required) -> str:
    """Reason for which a required check may never be reported; empty if it will be."""
    if not {"pull_request", "pull_request_target"} & maker.events.keys():
        return f"{maker.file} does not run for pull requests"
    if required.has_queue and "merge_group" not in maker.events:
        return f"{maker.file} lacks the trigger `merge_group`: the merge queue waits for ever"
    # A job that a condition skips counts as passed; a workflow that a filter skips does not.
    if maker.is_filtered:
        return f"{maker.file} filters paths: where it is skipped, the check stays pending for ever"
    if required.branch and maker.leaves_out(required.branch):
        return f"{maker.file} does not run for pull requests into `{required.branch}` (`branches`)"
    if maker.waits_for_people:
        return (
            f"{maker.file} runs neither for a new pull request nor for a push to one (`types` has"
            " neither `opened` nor `synchronize`)"
        )
    opener = _opener(workflows)
    if opener is not None and _never_starts(maker, workflows):
        return (
            f"{maker.file} does not run for pull requests that {opener.file} opens with the job's"
            f" own token: give it `workflow_dispatch`, and `--dispatch {maker.file}` to"
            " `ci pull-request`"
        )
    return ""


def likeness(branch: str, patterns: Any) -> bool | None:
    """Tell whether patterns of GitHub's match a branch; ``None`` if that is not decided here.

    >>> likeness("main", ["main"]), likeness("a/b", ["*"]), likeness("a/b", ["**", "!a/*"])
    (True, False, False)
    """
    is_match: bool | None = False
    for pattern in [patterns] if isinstance(patterns, str) else patterns or ():
        text = str(pattern).removeprefix("!")
        # Rare characters of GitHub's patterns: not decided here, rather than decided wrongly.
        if re.search(r"[?+\[\]\\]", text):
            return None
        wanted = re.escape(text).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
        if re.fullmatch(wanted, branch):
            # The last pattern that matches decides, as on GitHub.
            is_match = not str(pattern).startswith("!")
    return is_match


def _opener(workflows: Sequence[Workflow]) -> Workflow | None:
    return next((w for w in workflows if w.opens), None)


def _never_starts(workflow: Workflow, workflows: Sequence[Workflow]) -> bool:
    if "pull_request" not in workflow.events:
        return False
    started = {name for w in workflows if w.opens for name in w.starts}
    return workflow.file not in started or "workflow_dispatch" not in workflow.events


# -- reading -------------------------------------------------------------------------------------


def read_workflows(folder: Path) -> Iterator[Workflow]:
    """The workflows of a folder; what is none, or cannot be read, is left to GitHub to say."""
    for path in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        try:
            data = yaml.read(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, FormatError, TunesmithError):
            continue
        jobs = data.get("jobs") if isinstance(data, dict) else None
        if isinstance(jobs, dict):
            yield _workflow(path.name, data, [(k, j) for k, j in jobs.items() if _is(j)])


def _is(part: Any) -> bool:
    return isinstance(part, dict)


def _workflow(file: str, data: Mapping[Any, Any], jobs: Sequence[tuple[str, Any]]) -> Workflow:
    steps = [
        (s, {**_env(data), **_env(job), **_env(s)})
        for _, job in jobs
        for s in job.get("steps") or []
        if _is(s)
    ]
    opening = [(s, env) for s, env in steps if "tunesmith ci pull-request" in str(s.get("run", ""))]
    # GitHub starts no workflow for what a job's own token opens: jobs would start each other.
    own = [s for s, env in opening if _is_own_token(str(env.get("GITHUB_TOKEN", "")))]
    words = [word for s in own for word in str(s["run"]).split()]
    starts = [after for word, after in pairwise(words) if word == "--dispatch"]
    names = tuple(str(job.get("name") or key) for key, job in jobs)
    # YAML 1.1 reads the key `on` as true.
    return Workflow(file, _events(data.get("on", data.get(True))), names, bool(own), tuple(starts))


def _env(part: Mapping[str, Any]) -> Mapping[str, Any]:
    env = part.get("env")
    return env if isinstance(env, dict) else {}


def _is_own_token(given: str) -> bool:
    return given.replace("${{", "").replace("}}", "").strip() in OWN_TOKENS


def _events(on: Any) -> dict[str, Any]:
    if isinstance(on, str):
        return {on: None}
    if isinstance(on, list):
        return {str(name): None for name in on}
    return {str(name): about for name, about in on.items()} if isinstance(on, dict) else {}
