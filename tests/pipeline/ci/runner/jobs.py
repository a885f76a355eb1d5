"""Runs the job of a situation: events, payloads, contexts, conditions, checkouts, as Git hosts
do.
"""

import fnmatch
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.pipeline.ci.expressions import Expression, condition, filled
from tests.pipeline.ci.runner.shell import Answer, Shell
from tests.pipeline.ci.runner.situation import FEATURE, QUEUE, TRAINING, TUNING, Situation
from tests.pipeline.ci.runner.world import (
    BEST,
    METRICS,
    REPORT,
    World,
    environment,
    git,
    lock,
    write,
)
from tests.pipeline.git_host.servers import ForgeServer

from tunesmith.config.source import parse_document

RESULTS = (BEST, REPORT, METRICS, "dvc.lock")
OWN = """\
on: [push]
defaults: {{run: {{working-directory: '{folder}'}}}}
jobs:
  own:
    steps:
      - uses: actions/checkout@{sha}
        with: {{fetch-depth: {depth}, persist-credentials: false{ref}}}
      - name: Tune
        run: tunesmith run
      - name: Commit
        env: {{GITHUB_TOKEN: '${{{{ github.token }}}}'}}
        run: tunesmith ci commit --push -m "results of $GITHUB_REF_NAME"{named}
      - name: Report
        if: always()
        env: {{GITHUB_TOKEN: '${{{{ github.token }}}}'}}
        run: tunesmith ci report
"""


@dataclass
class Outcome:
    """What became of a job."""

    ran: bool
    """Whether there was a job at all: a trigger and its conditions."""
    log: str = ""
    summary: str = ""
    commit_code: int | None = None
    """Exit code of the step that commits; ``None`` where it did not run."""
    committed_log: str = ""
    before: dict[str, str] = field(default_factory=dict)
    """Where all refs were just before it."""
    after: dict[str, str] = field(default_factory=dict)
    checked_out: str | None = None
    """The branch that HEAD stood on; ``None`` where it was detached."""
    head: str = ""


@dataclass
class Job:
    """One job of one situation."""

    situation: Situation
    world: World
    server: ForgeServer
    shell: Shell
    place: Path
    outcome: Outcome = field(default_factory=lambda: Outcome(False))
    is_cancelled: bool = False
    late: str | None = None
    """The ref that somebody pushed to while the job did."""
    late_tip: str | None = None
    bodies: list[str] = field(default_factory=list)
    """Of all comments, in the end."""
    kind: str = ""
    """What became of it, in a word or two."""

    @property
    def target(self) -> str:
        """What the pull request that the job is about goes into; empty where there is none."""
        s = self.situation
        if s.event == "push of a queue" and self.outcome.checked_out is None:
            return ""
        if s.event == "merge_group" or s.event.startswith(("pull_request", "merge_request")):
            return s.default
        is_of_none = s.event == "tag" or s.event.startswith("parent_pipeline")
        branch = self.outcome.checked_out or (None if is_of_none else s.branch)
        if branch == TRAINING:
            return s.default
        return s.pull_target if branch in (TUNING, FEATURE) else ""

    # -- what the event is about --------------------------------------------------------------

    @property
    def ref(self) -> str:
        s = self.situation
        if s.event in ("merge_group", "push of a queue"):
            return f"refs/heads/{QUEUE.format(default=s.default)}"
        if s.event == "tag":
            return "refs/tags/v1"
        if s.event == "pull_request from a fork":
            return "refs/pull/7/merge"
        return "refs/pull/8/merge" if s.event == "pull_request" else f"refs/heads/{s.branch}"

    @property
    def sha(self) -> str:
        sha = git(self.world.remote, "rev-parse", f"{self.ref}^{{commit}}")
        old = self.situation.checkout == "an old commit"
        return git(self.world.remote, "rev-parse", f"{sha}~1") if old else sha

    # -- GitHub -------------------------------------------------------------------------------

    def payload(self) -> dict[str, Any]:
        s = self.situation
        found: dict[str, Any] = {
            "repository": {"default_branch": s.default, "full_name": "ann/churn"}
        }
        if s.event.startswith("pull_request"):
            number, head = (7, s.default) if s.is_fork else (8, TRAINING)
            found["pull_request"] = {
                "number": number,
                "head": {"ref": head},
                "base": {"ref": s.default},
            }
        if s.event == "workflow_run after a pull request":
            source = {"full_name": "bob/churn"}
            about = {"event": "pull_request", "head_branch": TUNING, "head_repository": source}
            found["workflow_run"] = about
        if s.event == "merge_group":
            found["merge_group"] = {"base_ref": f"refs/heads/{s.default}", "head_ref": self.ref}
        return found

    def github_environ(self) -> dict[str, str]:
        s, name = self.situation, self.ref.split("/", 2)[2]
        is_pull = s.event.startswith("pull_request")
        event = {"tag": "push", "push of a queue": "push"}.get(s.event, s.event).split(" ")[0]
        (self.place / "event.json").write_text(json.dumps(self.payload()))
        server = {k: v for k, v in self.server.environ().items() if k != "GITHUB_TOKEN"}
        return {
            **environment(),
            **server,
            "CI": "true",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(self.place / "event.json"),
            "GITHUB_REF": self.ref,
            "GITHUB_REF_NAME": name,
            "GITHUB_REF_TYPE": "tag" if s.event == "tag" else "branch",
            "GITHUB_HEAD_REF": (s.default if s.is_fork else TRAINING) if is_pull else "",
            "GITHUB_BASE_REF": s.default if is_pull else "",
            "GITHUB_SHA": self.sha,
            "GITHUB_RUN_ID": "1",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_STEP_SUMMARY": str(self.place / "summary.md"),
        }

    def __post_init__(self) -> None:
        self.outcome.before = self.world.tips()

    def on_github(self) -> Outcome:
        workflow = self._workflow()
        environ = self.github_environ()
        if not self._is_triggered(workflow, environ):
            return self.outcome
        ((_, job),) = workflow["jobs"].items()
        contexts = self._contexts(environ)
        steps = {"is_well": True}
        if not condition(str(job.get("if", "success()")), contexts, self._states(steps)):
            return self.outcome
        self.outcome.ran = True
        folder = workflow["defaults"]["run"]["working-directory"]
        for step in job["steps"]:
            if condition(str(step.get("if", "success()")), contexts, self._states(steps)):
                self._step(step, contexts, environ, folder, steps)
        summary = self.place / "summary.md"
        self.outcome.summary = summary.read_text() if summary.is_file() else ""
        return self.outcome

    def _workflow(self) -> Any:
        s = self.situation
        if s.job != "own":
            path = f".github/workflows/{s.job}.yml"
            # A pull request's own files count, but for `pull_request_target` and the like.
            return parse_document(
                git(self.world.remote, "show", f"{self.ref}:{path}"), Path(path)
            ).data
        ref = {"tuning branch": f", ref: {TUNING}", "the fork's head": ", ref: refs/pull/7/head"}
        text = OWN.format(
            folder=s.folder,
            sha="0" * 40,
            depth=s.depth,
            ref=ref.get(s.checkout, ""),
            named=f" --branch {s.named}" if s.named else "",
        )
        return parse_document(text, Path("own.yml")).data

    def _is_triggered(self, workflow: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
        if self.situation.job == "own":
            return True
        name = environ["GITHUB_EVENT_NAME"]
        if name not in workflow["on"]:
            return False
        wanted = (workflow["on"][name] or {}).get("branches")
        branch = environ["GITHUB_BASE_REF"] or environ["GITHUB_REF_NAME"]
        if environ["GITHUB_REF_TYPE"] == "tag":
            return wanted is None
        return wanted is None or any(fnmatch.fnmatchcase(branch, p) for p in wanted)

    def _states(self, steps: Mapping[str, bool]) -> dict[str, bool]:
        is_well = steps["is_well"] and not self.is_cancelled
        return {
            "always": True,
            "success": is_well,
            "failure": not steps["is_well"] and not self.is_cancelled,
            "cancelled": self.is_cancelled,
        }

    def _contexts(self, environ: Mapping[str, str]) -> dict[str, Any]:
        about = {
            name.removeprefix("GITHUB_").lower(): value
            for name, value in environ.items()
            if name.startswith("GITHUB_")
        }
        is_by_hand = environ["GITHUB_EVENT_NAME"] == "workflow_dispatch"
        given = {"trials": "", "mode": "resume", "apply": False} if is_by_hand else {}
        token = self.server.environ()["GITHUB_TOKEN"]
        return {
            "github": {**about, "token": token, "event": self.payload()},
            "inputs": given,
            "steps": {"page": {"outputs": {"artifact-url": "https://forge.example/page"}}},
            "secrets": {},
        }

    def _step(
        self,
        step: Mapping[str, Any],
        contexts: Mapping[str, Any],
        environ: Mapping[str, str],
        folder: str,
        steps: dict[str, bool],
    ) -> None:
        def value(text: str) -> Any:
            return Expression(text, contexts, {}).value()

        if "uses" in step:
            if step["uses"].startswith("actions/checkout@"):
                given = {k: filled(str(v), value) for k, v in (step.get("with") or {}).items()}
                self._checkout(given)
            return
        name = step.get("name", "")
        if name == "Install":
            return
        own = {k: filled(str(v), value) for k, v in (step.get("env") or {}).items()}
        code, log = self._run(
            step["run"], folder, {**environ, **own}, is_commit="ci commit" in step["run"]
        )
        self.outcome.log += f"## {name}: {code}\n{log}"
        steps["is_well"] = steps["is_well"] and code == 0

    def _checkout(self, given: Mapping[str, str]) -> None:
        """As actions/checkout does it: no clone, one ref, the branch made anew."""
        place, depth = self.work, int(given.get("fetch-depth", "1"))
        place.mkdir()
        git(place, "init", "-q", "--template=", "--initial-branch=unused")
        git(place, "remote", "add", "origin", f"file://{self.world.remote}")
        wanted = given.get("ref", "")
        ref, sha = self.ref, self.sha
        if wanted and not wanted.startswith("refs/"):
            ref, sha = (
                f"refs/heads/{wanted}",
                git(self.world.remote, "rev-parse", f"refs/heads/{wanted}"),
            )
        elif wanted:
            ref, sha = wanted, git(self.world.remote, "rev-parse", wanted)
        name = ref.removeprefix("refs/heads/")
        is_branch = name != ref
        to = (
            f"refs/remotes/origin/{name}" if is_branch else ref.replace("refs/", "refs/remotes/", 1)
        )
        if not depth:
            git(place, "fetch", "-q", "--no-tags", "origin", "+refs/heads/*:refs/remotes/origin/*")
        cut = [f"--depth={depth}"] if depth else []
        git(place, "fetch", "-q", "--no-tags", *cut, "origin", f"+{sha}:{to}")
        if is_branch and self.situation.checkout != "detached":
            git(place, "checkout", "-q", "--force", "-B", name, to)
        else:
            git(place, "checkout", "-q", "--force", "--detach", to)

    # -- GitLab -------------------------------------------------------------------------------

    def gitlab_environ(self) -> dict[str, str]:
        s = self.situation
        source = {"tag": "push"}.get(s.event, s.event).split(" ")[0]
        found = {
            **environment(),
            **self.server.environ(),
            "CI": "true",
            "CI_PIPELINE_SOURCE": source,
            "CI_DEFAULT_BRANCH": s.default,
            "CI_COMMIT_SHA": self.sha,
            "CI_COMMIT_REF_NAME": s.branch,
        }
        del found["CI_COMMIT_BRANCH"]
        if s.event.startswith("merge_request"):
            return found | {
                "CI_MERGE_REQUEST_IID": "7" if s.is_fork else "8",
                "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": s.default if s.is_fork else TRAINING,
                "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": s.default,
            }
        if s.event.startswith("parent_pipeline"):
            return found | {"CI_COMMIT_REF_NAME": "refs/merge-requests/8/merge"}
        if s.event == "tag":
            return found | {"CI_COMMIT_TAG": "v1", "CI_COMMIT_REF_NAME": "v1"}
        return found | {"CI_COMMIT_BRANCH": s.branch}

    def on_gitlab(self) -> Outcome:
        s, environ = self.situation, self.gitlab_environ()
        job = self._gitlab_job()
        if not any(holds(str(rule["if"]), environ) for rule in job.get("rules", [{"if": "true"}])):
            return self.outcome
        self.outcome.ran = True
        self._gitlab_checkout()
        environ |= {k: str(v) for k, v in job.get("variables", {}).items()}
        before = [line for line in job["before_script"] if " pip install " not in line]
        lines = [*before, *job["script"]]
        folder = s.folder if s.job == "own" else "."
        code, log = self._script(lines, folder, environ)
        self.outcome.log += f"## script: {code}\n{log}"
        if not self.is_cancelled:
            _, after = self._run("\n".join(job["after_script"]), folder, environ)
            self.outcome.log += after
        return self.outcome

    def _gitlab_job(self) -> Mapping[str, Any]:
        s = self.situation
        if s.job == "own":
            named = f" --branch {s.named}" if s.named else ""
            commit = f'tunesmith ci commit --push -m "results"{named}'
            ref = {"tuning branch": [f"git checkout -q -B {TUNING} origin/{TUNING}"]}
            fork = ["git fetch -q origin refs/pull/7/head", "git checkout -q --detach FETCH_HEAD"]
            moves = {**ref, "the fork's head": fork}.get(s.checkout, [])
            script = [*moves, "tunesmith run", commit]
            return {"before_script": [], "script": script, "after_script": ["tunesmith ci report"]}
        path = ".gitlab/tunesmith.yml"
        jobs = parse_document(git(self.world.remote, "show", f"{self.ref}:{path}"), Path(path)).data
        job = jobs["review" if s.job == "pull-request" else s.job]
        return {**jobs[job["extends"]], **job}

    def _gitlab_checkout(self) -> None:
        """As the runner does it: on no branch, whatever the pipeline is for."""
        place, depth = self.work, self.situation.depth if self.situation.job == "own" else 0
        place.mkdir()
        git(place, "init", "-q", "--template=", "--initial-branch=unused")
        git(place, "remote", "add", "origin", f"file://{self.world.remote}")
        ref = self.ref
        specs = [f"+{self.sha}:refs/pipelines/1"]
        if depth and ref.startswith("refs/heads/"):
            specs.append(f"+{ref}:refs/remotes/origin/{ref.removeprefix('refs/heads/')}")
        if not depth:
            specs.append("+refs/heads/*:refs/remotes/origin/*")
        cut = [f"--depth={depth}"] if depth else []
        git(place, "fetch", "-q", "--no-tags", *cut, "origin", *specs)
        git(place, "checkout", "-q", "--force", "--detach", self.sha)

    def _script(self, lines: list[str], folder: str, environ: Mapping[str, str]) -> tuple[int, str]:
        """One shell for all lines; it is cut before the commit to look at what there is then."""
        return self._run("\n".join(lines), folder, environ, is_commit=True)

    # -- both ---------------------------------------------------------------------------------

    @property
    def work(self) -> Path:
        return self.place / "work"

    def _run(
        self, lines: str, folder: str, environ: Mapping[str, str], *, is_commit: bool = False
    ) -> tuple[int, str]:
        code, log = self.shell.run(lines, self.work / folder, environ)
        if is_commit and not self.is_cancelled:
            self.outcome.commit_code, self.outcome.committed_log = code, log
        return code, log

    def stand_in(self, arguments: list[str], place: Path) -> Answer | None:
        """Tunes and trains in no time; what others do meanwhile happens now."""
        if arguments[0] in ("run", "train"):
            write(
                place,
                **{
                    BEST: "params: {depth: 7}\n",
                    REPORT: "# Tuning results: `churn`\n",
                    METRICS: '{"auc": 0.8}\n',
                    "dvc.lock": lock(other=1, tuning=2),
                },
            )
            self._meanwhile()
            self.outcome.before = self.world.tips()
            self.outcome.checked_out = self._head_branch()
            self.outcome.head = git(self.work, "rev-parse", "HEAD")
            if self.is_cancelled:
                return 143, "", "cancelled\n"
            return 0, "", ""
        if arguments[0] == "verify" or arguments[:1] == ["report"]:
            return 0, "", ""
        return None

    def _head_branch(self) -> str | None:
        text = (self.work / ".git/HEAD").read_text().strip()
        return (
            text.removeprefix("ref: refs/heads/") if text.startswith("ref: refs/heads/") else None
        )

    # -- what others do -----------------------------------------------------------------------

    def _meanwhile(self) -> None:
        what, branch = self.situation.meanwhile, self.aim
        if what == "the job is cancelled":
            self.is_cancelled = True
        elif what == "the branch is protected":
            hook = self.world.remote / "hooks/pre-receive"
            hook.parent.mkdir(exist_ok=True)
            hook.write_text(
                "#!/bin/sh\necho 'error: GH006: Protected branch update failed' >&2\nexit 1\n"
            )
            hook.chmod(0o755)
        elif branch is not None and what != "nothing" and what != "somebody pushes at once":
            self.others(what, branch)

    @property
    def aim(self) -> str | None:
        """The branch that the job is about, for others to be in its way."""
        s = self.situation
        if s.job == "own" and s.checkout == "tuning branch":
            return TUNING
        return s.branch if self.ref == f"refs/heads/{s.branch}" else None

    def others(self, what: str, branch: str) -> None:
        """Somebody else changes the branch on the remote."""
        person, folder = self.world.person, self.situation.folder
        if what == "the branch is deleted":
            git(self.world.remote, "update-ref", "-d", f"refs/heads/{branch}")
            return
        git(person, "fetch", "-q", "origin", f"refs/heads/{branch}")
        back = "FETCH_HEAD~1" if what == "the branch is rewritten" else "FETCH_HEAD"
        git(person, "checkout", "-q", "-f", "--detach", back)
        files = {
            "another study lands": {"dvc.lock": lock(other=2, tuning=1), "other.txt": "other\n"},
            "a result is edited": {BEST: "params: {depth: 1}\n"},
        }.get(what, {"code.py": f"# {what}\n"})
        write(person / folder, **files)
        git(person, "add", "-A", "--", ".")
        git(person, "commit", "-q", "-m", what)
        git(person, "push", "-q", "--force", "origin", f"HEAD:refs/heads/{branch}")


def holds(rule: str, environ: Mapping[str, str]) -> bool:
    """A rule of GitLab's: a comparison, or a pattern."""
    if rule == "true":
        return True
    name, operator, wanted = re.fullmatch(r"\$(\w+) (==|=~) (.*)", rule).groups()  # type: ignore[union-attr]
    value = environ.get(name, "")
    if operator == "==":
        return value == wanted.strip('"')
    return re.search(wanted[1:-1].replace("\\/", "/"), value) is not None
