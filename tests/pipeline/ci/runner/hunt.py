"""Runs situations by seed: ``make hunt-ci N=2000 SEED=1``."""

import argparse
import collections
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.pipeline.ci.runner import world
from tests.pipeline.ci.runner.check import findings, goal
from tests.pipeline.ci.runner.jobs import Job
from tests.pipeline.ci.runner.shell import Shell
from tests.pipeline.ci.runner.situation import FEATURE, TRAINING, TUNING, Situation, draw
from tests.pipeline.git_host.servers import ForgeServer, GitHubServer, GitLabServer, served

from tunesmith.pipeline.ci import checkout
from tunesmith.pipeline.pushing import Pushing

HAS_LFS = shutil.which("git-lfs") is not None


class Hunt:
    """Servers and a shell that many situations share."""

    def __init__(self, folder: Path, servers: dict[str, ForgeServer]) -> None:
        self.folder, self.servers = folder, servers
        self.shell = Shell(folder / "bin", lambda *_: None)

    def run(self, situation: Situation) -> tuple[list[str], Job]:
        """What is wrong with what came of a situation, and the job itself."""
        place = self.folder / f"s{situation.seed}"
        place.mkdir()
        try:
            repositories = world.make(situation, place)
            server = self.servers[situation.git_host]
            _reset(server, situation)
            job = Job(situation, repositories, server, self.shell, place)
            self.shell.stand_in = job.stand_in
            with _at_once(job), _quick():
                job.on_github() if situation.git_host == "github" else job.on_gitlab()
            job.outcome.after = repositories.tips()
            job.bodies = [note.body for note in server.notes]
            job.kind = kind(job)
            return list(findings(job)), job
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _reset(server: ForgeServer, s: Situation) -> None:
    server.pulls, server.notes, server.dispatched, server.faults = [], [], [], []
    server.is_read_only = s.is_fork
    for _ in range(6):
        server.add_pull("closed", is_open=False)
    server.add_pull(s.default, target=s.default, repository="bob/churn")
    server.add_pull(TRAINING, target=s.default)
    if s.pull_target:
        for branch in (TUNING, FEATURE):
            server.add_pull(branch, target=s.pull_target)


@contextmanager
def _at_once(job: Job) -> Iterator[None]:
    """Somebody pushes after the remote was asked, and before the job does."""
    send, branch = Pushing.push_commits, job.aim
    if job.situation.meanwhile != "somebody pushes at once" or branch is None:
        yield
        return

    def late(self: Any, *given: Any, **more: Any) -> None:
        if job.late is None:
            job.others("somebody pushes at once", branch)
            job.late = f"refs/heads/{branch}"
            job.late_tip = job.world.tips()[job.late]
        send(self, *given, **more)

    Pushing.push_commits = late  # type: ignore[method-assign]
    try:
        yield
    finally:
        Pushing.push_commits = send  # type: ignore[method-assign]


@contextmanager
def _quick() -> Iterator[None]:
    """Pauses are not waited for."""
    module: Any = checkout
    kept = module.pauses
    module.pauses = lambda: iter([0.0] * 12)
    try:
        yield
    finally:
        module.pauses = kept


@contextmanager
def hunting() -> Iterator[Hunt]:
    """A place to run situations in."""
    with (
        tempfile.TemporaryDirectory(prefix="tunesmith-hunt-", dir=world.PLACE.name) as folder,
        served(GitHubServer()) as github,
        served(GitLabServer()) as gitlab,
    ):
        hunt = Hunt(Path(folder), {"github": github, "gitlab": gitlab})
        try:
            yield hunt
        finally:
            hunt.shell.close()


def main() -> int:
    """Hunt, and print what was found; the exit code is 1 if something was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, help="how many situations")
    parser.add_argument("seed", type=int, help="of the first one")
    given = parser.parse_args()
    counts: collections.Counter[str] = collections.Counter()
    began, n_found = time.monotonic(), 0
    with hunting() as hunt:
        for seed in range(given.seed, given.seed + given.n):
            situation = draw(seed, has_lfs=HAS_LFS)
            found, job = hunt.run(situation)
            counts[f"{situation.git_host}: {situation.event}: {job.kind}"] += 1
            for text in found:
                n_found += 1
                print(f"FOUND {situation.words}\n  {text}", flush=True)
            if (seed - given.seed + 1) % 50 == 0:
                spent = time.monotonic() - began
                print(
                    f"{seed - given.seed + 1} situations, {n_found} findings, {spent:.0f} s",
                    flush=True,
                )
    for name, count in sorted(counts.items()):
        print(f"{count:6}  {name}")
    spent = time.monotonic() - began
    print(f"{given.n} situations from seed {given.seed}: {n_found} findings in {spent:.0f} s.")
    return 1 if n_found else 0


def kind(job: Job) -> str:
    """What became of a job, in a word or two."""
    outcome = job.outcome
    if not outcome.ran:
        return "no job"
    if outcome.commit_code is None or job.situation.job == "pull-request":
        return "nothing to commit"
    if outcome.commit_code == 0:
        return "landed" if goal_moved(job) else "reported"
    return "refused"


def goal_moved(job: Job) -> bool:
    branch = goal(job)
    name = f"refs/heads/{branch}"
    return branch is not None and job.outcome.before.get(name) != job.outcome.after.get(name)


if __name__ == "__main__":
    sys.exit(main())
