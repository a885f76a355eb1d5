"""What has to hold of every job, told from the situation alone and from what Git has."""

import re
from collections.abc import Iterator

from tests.pipeline.ci.runner.jobs import RESULTS, Job
from tests.pipeline.ci.runner.situation import TRAINING, TUNING, Situation
from tests.pipeline.ci.runner.world import BEST, git

from tunesmith.pipeline.filters import POINTER

HEADS = "refs/heads/"
UNDONE = ("the branch is protected", "a result is edited")
"""What others do, after which nothing may be pushed although the branch is the right one."""
COLUMN = re.compile(r"^\| metric \| `?([^|`]*)`? \| here \| change \|$", re.MULTILINE)
ROW = re.compile(r"^\| `auc` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)


def findings(job: Job) -> Iterator[str]:
    """What is wrong; nothing where all is as it has to be."""
    s, outcome = job.situation, job.outcome
    if outcome.ran != _runs(s):
        yield f"the job {'ran' if outcome.ran else 'did not run'}"
        return
    if not outcome.ran:
        return
    if not outcome.head and s.job in ("tuning", "training"):
        yield f"there are no results: {outcome.log[-400:]}"
    yield from _commits(job)
    yield from _words(job)
    yield from _base(job)
    yield from _objects(job)
    if "defect in Tunesmith" in outcome.log or "Traceback" in outcome.log:
        yield "a defect"


def _runs(s: Situation) -> bool:
    """Whether the generated file has a job for the event."""
    if s.job == "own":
        return True
    if s.job == "pull-request":
        events = ("pull_request", "pull_request from a fork", "merge_group", "merge_request_event")
        return s.event in (*events, "merge_request_event from a fork")
    prefix = {"tuning": "tuning/", "training": "training/"}[s.job]
    if s.event == "tag" or s.is_foreign or not s.branch.startswith(prefix):
        return False
    return s.git_host == "gitlab" or s.event in ("push", "workflow_dispatch")


def goal(job: Job) -> str | None:
    """The branch that the results belong on; ``None`` where they may go nowhere."""
    s, outcome = job.situation, job.outcome
    if s.job == "pull-request" or s.is_foreign or s.meanwhile == "the job is cancelled":
        return None
    own = None if s.event == "tag" else s.branch
    if outcome.checked_out is not None:
        if s.named:
            branch = s.named if s.named == outcome.checked_out else None
        else:
            branch = own if own == outcome.checked_out else None
    else:
        branch = s.named or own
    if branch is None or (branch == s.default and not s.named):
        return None
    tip = outcome.before.get(HEADS + branch)
    return branch if tip is not None and _holds(job, outcome.head, tip) else None


def _holds(job: Job, earlier: str, later: str) -> bool:
    listed = git(job.world.remote, "rev-list", later).split()
    return earlier in listed


def _commits(job: Job) -> Iterator[str]:
    """No commit lands on another branch than the one that was checked out."""
    s, outcome = job.situation, job.outcome
    branch, before, after = goal(job), outcome.before, outcome.after
    moved = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    if job.late is not None:
        moved -= {job.late}
    allowed = set() if branch is None else {HEADS + branch}
    if s.meanwhile == "somebody pushes at once" and job.late is not None:
        moved |= {job.late} if after[job.late] != job.late_tip else set()
    if moved - allowed:
        yield f"{', '.join(sorted(moved - allowed))} moved, and results belong on {branch}"
        return
    hit = _was_hit(job, branch)
    if branch is None or (hit and s.meanwhile in UNDONE):
        if moved:
            yield f"{moved} moved although {s.meanwhile}"
        if outcome.commit_code == 0 and s.job != "pull-request":
            yield "the commit is said to have been made"
        return
    if not moved:
        yield f"nothing landed on {branch}: {outcome.committed_log[-400:]}"
        return
    yield from _landed(job, branch)


def _was_hit(job: Job, branch: str | None) -> bool:
    """Whether what others did was done to the branch that the results belong on."""
    if job.situation.meanwhile == "the branch is protected":
        return True
    return branch is not None and job.aim == branch


def _landed(job: Job, branch: str) -> Iterator[str]:
    """One commit, on top of the tip, of results alone."""
    outcome, remote = job.outcome, job.world.remote
    before = job.late_tip if job.late == HEADS + branch else outcome.before[HEADS + branch]
    assert before is not None
    after = outcome.after[HEADS + branch]
    parents = git(remote, "rev-list", "--parents", "-1", after).split()[1:]
    if parents != [before]:
        yield f"the commit on {branch} does not stand on its tip alone"
    prefix = "" if job.situation.folder == "." else f"{job.situation.folder}/"
    changed = set(git(remote, "diff", "--name-only", "-z", before, after).split("\0")) - {""}
    if odd := changed - {f"{prefix}{name}" for name in RESULTS}:
        yield f"{odd} is no result"
    if "depth: 7" not in job.world.show(after, f"{prefix}{BEST}"):
        yield "the result is not in the commit"
    if job.situation.meanwhile == "another study lands" and job.aim == branch:
        text = job.world.show(after, f"{prefix}dvc.lock")
        if text.count(f"{2:032x}") != 2:
            yield f"a stage is lost in dvc.lock:\n{text}"


def _words(job: Job) -> Iterator[str]:
    """No message claims what did not happen."""
    outcome = job.outcome
    for branch, short in re.findall(r"^(\S+): pushed ([0-9a-f]{12})$", outcome.log, re.MULTILINE):
        listed = git(job.world.remote, "rev-list", f"{HEADS}{branch}").split()
        if not any(commit.startswith(short) for commit in listed):
            yield f"{short} is not on {branch}"
    is_same = {k: v for k, v in outcome.before.items() if k != job.late} == {
        k: v for k, v in outcome.after.items() if k != job.late
    }
    if re.search(r"[Nn]othing was (pushed|committed|done)", outcome.committed_log) and not is_same:
        yield "nothing was said to be pushed, and something was"
    if re.search(r"moved by others|moved \d+ times", outcome.committed_log):
        yield "a refusal is told as a race"
    if job.situation.meanwhile == "the branch is protected" and "tries within a minute" in (
        outcome.committed_log
    ):
        yield "a refusal is tried again"
    is_protected = job.situation.meanwhile == "the branch is protected" and goal(job) is not None
    if is_protected and "remote: error: GH006" not in outcome.committed_log:
        yield "the remote's own words are not passed on"


def _base(job: Job) -> Iterator[str]:
    """A base is told, and never guessed."""
    s, texts = job.situation, [job.outcome.summary, job.outcome.log, *job.bodies]
    wanted = job.target or s.default
    for text in texts:
        for name in COLUMN.findall(text):
            if name != wanted:
                yield f"compared with {name} in place of {wanted}"
        for before, _, change in ROW.findall(text):
            is_stale = before.strip() == "0.5" and wanted != s.stale
            if is_stale or ("+60" in change):
                yield f"the base is {before}: {change}"


def _objects(job: Job) -> Iterator[str]:
    """No pointer of Git LFS without its object."""
    if not job.situation.has_lfs:
        return
    remote = job.world.remote
    there = {path.name for path in (remote / "lfs/objects").rglob("*") if path.is_file()}
    for branch in (TUNING, TRAINING, job.situation.default):
        if HEADS + branch not in job.outcome.after:
            continue
        for path in git(remote, "ls-tree", "-r", "--name-only", "-z", branch).split("\0"):
            if not path.endswith(".md"):
                continue
            match = POINTER.match(f"{job.world.show(branch, path)}\n".encode())
            if match is None:
                yield f"{path} on {branch} should be a pointer"
            elif match[1].decode() not in there:
                yield f"{path} on {branch} points to an object that is nowhere"
