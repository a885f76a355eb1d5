"""Executes workflows of GitHub Actions: triggers, steps, caches, artifacts, against a bare remote.

What a workflow *uses* is stood in for: a checkout is a clone, a cache is a folder that is copied.
What it *runs* is run. As on GitHub, a push by a job starts nothing, and a dispatch does.
"""

import fnmatch
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.pipeline.ci.expressions import Expression, condition, filled
from tests.pipeline.git_host.servers import ForgeServer
from tests.preloaded import programs

import tunesmith
from tunesmith.config.source import parse_document

SOURCES = Path(tunesmith.__file__).parents[1]
TIMEOUT_S = 120


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(folder))
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout.strip()


def environment(home: Path) -> dict[str, str]:
    """Without anything of the CI that these tests themselves run in."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GITHUB_", "CI", "GITLAB_", "GIT_", "TUNESMITH_", "COV"))
    }
    return {
        **kept,
        "HOME": str(home),
        "PATH": programs.path(),
        "PYTHONPATH": str(SOURCES),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "DVC_NO_ANALYTICS": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INDEX": "1",
        "NO_COLOR": "1",
    }


@dataclass
class Step:
    """What became of a step."""

    name: str
    outcome: str = "skipped"
    output: str = ""
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class Run:
    """What became of a job."""

    workflow: str
    workspace: Path
    summary: Path
    steps: list[Step] = field(default_factory=list)
    artifacts: dict[str, Path] = field(default_factory=dict)

    @property
    def is_success(self) -> bool:
        return all(step.outcome != "failure" for step in self.steps)

    @property
    def log(self) -> str:
        return "\n".join(f"## {s.name}: {s.outcome}\n{s.output}" for s in self.steps)

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)


@dataclass
class Event:
    """Why a workflow runs."""

    kind: str
    branch: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    number: int | None = None
    target: str = ""


@dataclass
class GitHub:
    """A Git host with machines of its own."""

    remote: Path
    """A bare repository."""
    server: ForgeServer
    """Its API."""
    folder: Path
    """For caches, artifacts and workspaces."""
    variables: dict[str, str] = field(default_factory=dict)
    """For every step, as repository variables would be."""
    runs: list[Run] = field(default_factory=list)
    caches: list[tuple[str, str, Path]] = field(default_factory=list)
    """Branch, key and folder, oldest first."""

    # -- triggers ----------------------------------------------------------------------------

    def pushed(self, branch: str, before: str) -> list[Run]:
        """All runs that a person's push starts.

        Args:
            branch: its name.
            before: the commit that it stood on, or that a new one begins at.
        """
        changed = git(self.remote, "diff", "--name-only", before, branch).splitlines()
        found = []
        for name, workflow in self._workflows(branch):
            trigger = (workflow["on"] or {}).get("push")
            if trigger is not None and _matches(trigger, branch, changed):
                found.append(self._run(name, workflow, Event("push", branch)))
        return found

    def dispatched(self) -> list[Run]:
        """Runs that were asked for by the API since the last time."""
        asked, self.server.dispatched = self.server.dispatched, []
        return [self.dispatch(d["workflow"], d["ref"], **d["inputs"]) for d in asked]

    def dispatch(self, name: str, branch: str, **inputs: Any) -> Run:
        """A run that somebody starts by hand."""
        workflow = dict(self._workflows(branch))[name]
        assert "workflow_dispatch" in workflow["on"]
        defaults = {
            key: value.get("default", "")
            for key, value in (
                (workflow["on"]["workflow_dispatch"] or {}).get("inputs") or {}
            ).items()
        }
        assert inputs.keys() <= defaults.keys()
        return self._run(name, workflow, Event("workflow_dispatch", branch, {**defaults, **inputs}))

    def pull_request(self, number: int) -> list[Run]:
        """Runs for a pull request that a person opened or pushed to."""
        pull = self.server.pulls[number - 1]
        event = Event("pull_request", pull.source, number=number, target=pull.target)
        return [
            self._run(name, workflow, event)
            for name, workflow in self._workflows(pull.source)
            if "pull_request" in (workflow["on"] or {})
            and pull.target in (workflow["on"]["pull_request"] or {}).get("branches", [pull.target])
        ]

    def _workflows(self, branch: str) -> Iterator[tuple[str, dict[str, Any]]]:
        place = ".github/workflows"
        listed = git(self.remote, "ls-tree", "--name-only", branch, f"{place}/")
        for path in listed.splitlines():
            text = git(self.remote, "show", f"{branch}:{path}")
            yield Path(path).name, parse_document(text, Path(path)).data

    # -- one job -----------------------------------------------------------------------------

    def _run(self, name: str, workflow: Mapping[str, Any], event: Event) -> Run:
        number = len(self.runs) + 1
        place = self.folder / "runs" / str(number)
        place.mkdir(parents=True)
        run = Run(name, place / "work", place / "summary.md")
        self.runs.append(run)
        ((_, job),) = workflow["jobs"].items()
        work = _Work(self, run, event, number, workflow)
        if work.is_wanted(job):
            for step in job["steps"]:
                work.do(step)
        return run


class _Work:
    """The steps of one job, one after the other."""

    def __init__(
        self, github: GitHub, run: Run, event: Event, number: int, workflow: Mapping[str, Any]
    ) -> None:
        self.github, self.run, self.event, self.number = github, run, event, number
        self.folder = ((workflow.get("defaults") or {}).get("run") or {}).get(
            "working-directory", "."
        )
        self.by_id: dict[str, Step] = {}

    def do(self, step: Mapping[str, Any]) -> None:
        done = Step(step.get("name") or step.get("uses") or step["run"])
        self.run.steps.append(done)
        self.by_id[step.get("id", "")] = done
        if not self._evaluate(str(step.get("if", "success()"))):
            return
        done.outcome = "success"
        if "uses" in step:
            action, _, commit = step["uses"].partition("@")
            assert len(commit) == 40
            given = {key: self._filled(value) for key, value in (step.get("with") or {}).items()}
            ACTIONS[action](self, done, given)
            return
        if done.name == "Install":
            # All is installed; pip alone would take two seconds to find that out.
            packages, _, rest = step["run"].partition(" && ")
            assert (self.run.workspace / self.folder / shlex.split(packages)[-1]).is_file()
            step = {**step, "run": rest or "true"}
        assert "${{" not in step["run"], "what people can name must not become shell"
        code, done.output = self._shell(step)
        done.outcome = "failure" if code else "success"

    def is_wanted(self, job: Mapping[str, Any]) -> bool:
        """Whether the job's own condition holds."""
        return self._evaluate(str(job.get("if", "success()")))

    def _evaluate(self, text: str) -> bool:
        is_well = self.run.is_success
        states = {"always": True, "success": is_well, "failure": not is_well, "cancelled": False}
        return condition(text, self._contexts, states)

    def _value(self, text: str) -> Any:
        return Expression(text, self._contexts, {}).value()

    @property
    def _contexts(self) -> dict[str, Any]:
        return {
            "github": {
                "ref": self._ref,
                "ref_name": self._ref_name,
                "run_id": self.number,
                "run_attempt": 1,
                "token": self.github.server.environ()["GITHUB_TOKEN"],
            },
            "inputs": self.event.inputs,
            "steps": {key: {"outputs": step.outputs} for key, step in self.by_id.items()},
        }

    def _filled(self, value: Any) -> Any:
        return filled(value, self._value) if isinstance(value, str) else value

    @property
    def _ref(self) -> str:
        number = self.event.number
        return f"refs/heads/{self.event.branch}" if number is None else f"refs/pull/{number}/merge"

    @property
    def _ref_name(self) -> str:
        number = self.event.number
        return self.event.branch if number is None else f"{number}/merge"

    def _shell(self, step: Mapping[str, Any]) -> tuple[int, str]:
        for_all = {
            **environment(self.github.folder),
            **{k: v for k, v in self.github.server.environ().items() if k != "GITHUB_TOKEN"},
            "CI": "true",
            "GITHUB_REF": self._ref,
            "GITHUB_REF_NAME": self._ref_name,
            "GITHUB_RUN_ID": str(self.number),
            "GITHUB_STEP_SUMMARY": str(self.run.summary),
            "GITHUB_HEAD_REF": self.event.branch if self.event.number else "",
            "GITHUB_BASE_REF": self.event.target,
        }
        own = {k: str(self._filled(v)) for k, v in (step.get("env") or {}).items()}
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=self.run.workspace / self.folder,
            env={**for_all, **own, **self.github.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
        )
        return done.returncode, done.stdout

    # -- what is used ------------------------------------------------------------------------

    def checkout(self, _step: Step, given: Mapping[str, Any]) -> None:
        assert given["persist-credentials"] is False
        place, depth = self.run.workspace, given.get("fetch-depth", 1)
        cut = ["--depth", str(depth)] if depth else []
        url = f"file://{self.github.remote}"
        branch = self.event.branch
        git(place.parent, "clone", "-q", *cut, "--branch", branch, url, str(place))
        if self.event.number is not None:
            who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
            git(place, "checkout", "-q", "--detach", f"origin/{self.event.target}")
            git(place, *who, "merge", "-q", "--no-ff", "-m", "merge", f"origin/{branch}")

    def restore(self, _step: Step, given: Mapping[str, Any]) -> None:
        for wanted in (given["key"], *str(given.get("restore-keys", "")).split()):
            for branch, key, folder in reversed(self.github.caches):
                if branch in (self.event.branch, "main") and key.startswith(wanted):
                    shutil.copytree(folder, self.run.workspace / given["path"])
                    return

    def save(self, _step: Step, given: Mapping[str, Any]) -> None:
        source = self.run.workspace / given["path"]
        if source.is_dir():
            folder = self.github.folder / "caches" / str(len(self.github.caches))
            shutil.copytree(source, folder)
            self.github.caches.append((self.event.branch, given["key"], folder))

    def upload(self, step: Step, given: Mapping[str, Any]) -> None:
        assert given["archive"] is False
        source = self.run.workspace / given["path"]
        if source.is_file():
            target = self.run.workspace.parent / "artifacts" / source.name
            target.parent.mkdir(exist_ok=True)
            shutil.copy(source, target)
            self.run.artifacts[source.name] = target
            step.outputs["artifact-url"] = f"https://forge.example/artifacts/{self.number}"

    def nothing(self, step: Step, given: Mapping[str, Any]) -> None:
        """Python is here already."""


ACTIONS: dict[str, Callable[[_Work, Step, Mapping[str, Any]], None]] = {
    "actions/checkout": _Work.checkout,
    "actions/setup-python": _Work.nothing,
    "actions/cache/restore": _Work.restore,
    "actions/cache/save": _Work.save,
    "actions/upload-artifact": _Work.upload,
}


@dataclass
class GitLab:
    """Runs one job of a pipeline, as a runner does: on a detached HEAD, scripts in one shell."""

    remote: Path
    server: ForgeServer
    folder: Path

    def run(self, name: str, branch: str) -> tuple[int, str]:
        """Exit code and log of a job on a branch."""
        place = self.folder / "builds" / str(len(list(self.folder.glob("builds/*"))))
        git(self.remote, "clone", "-q", f"file://{self.remote}", str(place))
        git(place, "checkout", "-q", "--detach", f"origin/{branch}")
        included = parse_document((place / ".gitlab-ci.yml").read_text(), Path("x.yml")).data
        ((include,),) = [item.values() for item in included["include"]]
        jobs = parse_document((place / include).read_text(), Path("x.yml")).data
        job = {**jobs[jobs[name]["extends"]], **jobs[name]}
        # pip would take its time to find out that all is installed.
        before = [line for line in job["before_script"] if " pip install " not in line]
        code, log = self._shell(place, branch, [*before, *job["script"]], job)
        _, after = self._shell(place, branch, job["after_script"], job)
        return code, log + after

    def _shell(
        self, place: Path, branch: str, lines: list[str], job: Mapping[str, Any]
    ) -> tuple[int, str]:
        given = {**self.server.environ(), "CI": "true", "CI_COMMIT_BRANCH": branch}
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", "\n".join(lines)],
            cwd=place,
            env={**environment(self.folder), **job.get("variables", {}), **given},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
        )
        return done.returncode, done.stdout


def _matches(trigger: Mapping[str, Any], branch: str, changed: list[str]) -> bool:
    if not any(_like(branch, pattern) for pattern in trigger["branches"]):
        return False
    ignored = trigger.get("paths-ignore", [])
    return any(not any(_like(path, pattern) for pattern in ignored) for path in changed)


def _like(name: str, pattern: str) -> bool:
    assert "*" not in pattern.replace("/**", ""), "only `**` at the end is known here"
    return fnmatch.fnmatchcase(name, pattern)
