"""Generated workflows are run for every event; situations are drawn, and old faults are found."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.ci.runner.hunt import HAS_LFS, Hunt, hunting
from tests.pipeline.ci.runner.situation import TRAINING, TUNING, Situation, draw

from tunesmith.pipeline.ci import base, checkout, place
from tunesmith.pipeline.ci.base import Base
from tunesmith.pipeline.ci.checkout import Checkout
from tunesmith.pipeline.ci.place import CommitTarget
from tunesmith.pipeline.filters import Filters
from tunesmith.pipeline.pushing import Pushing
from tunesmith.system.git import GitError

N = 3
"""Situations in this suite; `make hunt-ci` runs many."""
PLAIN = Situation(
    seed=0,
    git_host="github",
    event="push",
    branch=TUNING,
    default="develop",
    stale="main",
    folder=".",
    job="own",
    checkout="as the event says",
    named="",
    depth=0,
    meanwhile="nothing",
    takes_options=True,
    has_submodule=False,
    has_lfs=False,
    pull_target="develop",
)


@pytest.fixture(scope="module")
def hunt() -> Iterator[Hunt]:
    with hunting() as hunt:
        yield hunt


def of(hunt: Hunt, **changes: Any) -> tuple[list[str], str]:
    """What is wrong with a situation, and what became of the job."""
    found, job = hunt.run(replace(PLAIN, **changes))
    return found, job.kind


TABLE = [
    ("github", "push", TUNING, "tuning", "landed"),
    ("github", "push", TRAINING, "training", "landed"),
    ("github", "workflow_dispatch", TUNING, "tuning", "landed"),
    ("github", "workflow_dispatch", "develop", "tuning", "no job"),
    ("github", "workflow_dispatch", "feature", "training", "no job"),
    ("github", "pull_request", TRAINING, "pull-request", "nothing to commit"),
    ("github", "pull_request from a fork", "develop", "pull-request", "nothing to commit"),
    ("github", "merge_group", "develop", "pull-request", "nothing to commit"),
    ("github", "tag", TUNING, "tuning", "no job"),
    ("github", "schedule", "develop", "tuning", "no job"),
    ("github", "push", TUNING, "own", "landed"),
    ("github", "push", "develop", "own", "refused"),
    ("github", "schedule", "develop", "own", "refused"),
    ("github", "pull_request", TRAINING, "own", "refused"),
    ("github", "pull_request_target", "develop", "own", "refused"),
    ("github", "merge_group", "develop", "own", "refused"),
    ("github", "push of a queue", "develop", "own", "refused"),
    ("github", "tag", TUNING, "own", "refused"),
    ("github", "repository_dispatch", "develop", "own", "refused"),
    ("gitlab", "push", TUNING, "tuning", "landed"),
    ("gitlab", "web", TRAINING, "training", "landed"),
    ("gitlab", "push", "develop", "tuning", "no job"),
    ("gitlab", "merge_request_event", TRAINING, "pull-request", "nothing to commit"),
    ("gitlab", "merge_request_event from a fork", "develop", "own", "refused"),
    ("gitlab", "push", "develop", "own", "refused"),
    ("gitlab", "tag", TUNING, "own", "refused"),
    ("gitlab", "parent_pipeline of a merge request", TUNING, "own", "refused"),
]
"""Git host, event, branch, job -> what has to become of it; the table of docs/ci.md."""


@pytest.mark.parametrize(("git_host", "event", "branch", "job", "wanted"), TABLE)
def test_every_event_has_the_outcome_that_is_documented(
    hunt: Hunt, git_host: str, event: str, branch: str, job: str, wanted: str
) -> None:
    assert of(hunt, git_host=git_host, event=event, branch=branch, job=job) == ([], wanted)


@pytest.mark.parametrize("seed", range(N))
def test_situations_that_are_drawn(hunt: Hunt, seed: int) -> None:
    situation = draw(seed, has_lfs=HAS_LFS)
    found, _ = hunt.run(situation)
    assert found == [], situation.words


# -- every old fault is found --------------------------------------------------------------------

Put = Callable[[pytest.MonkeyPatch], None]


def job_before_head(patch: pytest.MonkeyPatch) -> None:
    """The job's ref is preferred over the branch that is checked out."""

    def old(checked_out: str | None, job: Any, named: str | None) -> CommitTarget:
        branch = (job.branch if job else None) or checked_out
        return CommitTarget(str(branch), is_detached=True, is_named=True, is_in_ci=True)

    patch.setattr(checkout, "place_for", old)
    patch.setattr(Checkout, "is_ancestor", lambda *_: True)


def no_event_is_foreign(patch: pytest.MonkeyPatch) -> None:
    """`pull_request_target` and merge queues are taken for branches."""
    known = place.place_for
    patch.setattr(
        checkout, "place_for", lambda c, j, n: known(c, replace(j, foreign=None, branch=c), n)
    )
    patch.setattr(CommitTarget, "check_default", lambda *_: None)


def default_is_any_branch(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CommitTarget, "check_default", lambda *_: None)


def head_is_not_looked_for(patch: pytest.MonkeyPatch) -> None:
    """A detached HEAD counts as the job's branch, whatever it is."""
    patch.setattr(Checkout, "is_ancestor", lambda *_: True)


def base_is_main(patch: pytest.MonkeyPatch) -> None:
    """The base is what is called `main`."""

    def old(here: Checkout, *_: Any) -> Base:
        return Base("main", here.commit_of("refs/remotes/origin/main"))

    patch.setattr(base, "base_of", old)


def objects_stay(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Filters, "upload_objects", lambda *_: 0)


def refusals_are_races(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Checkout, "_is_race", lambda *_: True)


def no_second_try(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Checkout, "_is_race", lambda *_: False)


def locks_are_not_merged(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(checkout, "merged", lambda *_: None)


def ours_wins(patch: pytest.MonkeyPatch) -> None:
    """An edit of somebody else is overwritten."""
    patch.setattr(checkout, "merged", lambda path, base, ours, theirs: ours)


def pushed_by_force(patch: pytest.MonkeyPatch) -> None:
    """No lease, and whatever is there is replaced."""

    def old(
        self: Pushing, remote: str, commits: dict[str, str], tips: Any, options: Any = ()
    ) -> None:
        refs = [f"+{commit}:refs/heads/{branch}" for branch, commit in commits.items()]
        self._run("push", "-q", "--", remote, *refs)

    patch.setattr(Pushing, "push_commits", old)


def options_are_needed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(checkout, "NO_OPTIONS", "no server says this")


def said_before_it_is_done(patch: pytest.MonkeyPatch) -> None:
    """A failure says that nothing was pushed after something was."""
    real = Pushing.push_commits

    def old(self: Pushing, *given: Any) -> None:
        real(self, *given)
        raise GitError("Nothing was pushed.")

    patch.setattr(Pushing, "push_commits", old)


TARGET = {"event": "pull_request_target", "branch": "develop", "checkout": "the fork's head"}
FAULTS: list[tuple[Put, dict[str, Any]]] = [
    (job_before_head, {"event": "schedule", "branch": "develop", "checkout": "tuning branch"}),
    (job_before_head, TARGET),
    (no_event_is_foreign, {"event": "push of a queue", "branch": "develop"}),
    (
        no_event_is_foreign,
        {
            "event": "workflow_run after a pull request",
            "branch": "develop",
            "checkout": "tuning branch",
            "named": TUNING,
        },
    ),
    (default_is_any_branch, {"branch": "develop"}),
    (head_is_not_looked_for, {"checkout": "the fork's head"}),
    (head_is_not_looked_for, {"checkout": "detached", "meanwhile": "the branch is rewritten"}),
    (base_is_main, {}),
    (base_is_main, {"git_host": "gitlab"}),
    (refusals_are_races, {"meanwhile": "the branch is protected"}),
    (no_second_try, {"meanwhile": "somebody pushes at once"}),
    (locks_are_not_merged, {"meanwhile": "another study lands"}),
    (ours_wins, {"meanwhile": "a result is edited"}),
    (pushed_by_force, {"meanwhile": "somebody pushes at once"}),
    (options_are_needed, {"git_host": "gitlab", "takes_options": False}),
    (said_before_it_is_done, {}),
]


@pytest.mark.parametrize(("put", "changes"), FAULTS)
def test_each_old_fault_is_found(
    hunt: Hunt, monkeypatch: pytest.MonkeyPatch, put: Put, changes: dict[str, Any]
) -> None:
    put(monkeypatch)
    found, _ = of(hunt, **changes)
    assert found != []


@pytest.mark.parametrize("changes", [changes for _, changes in FAULTS[::4]])
def test_without_the_fault_nothing_is_found(hunt: Hunt, changes: dict[str, Any]) -> None:
    assert of(hunt, **changes)[0] == []


@pytest.mark.skipif(not HAS_LFS, reason="git-lfs is not installed here")
def test_a_lost_object_is_found(hunt: Hunt, monkeypatch: pytest.MonkeyPatch) -> None:
    assert of(hunt, has_lfs=True) == ([], "landed")
    objects_stay(monkeypatch)
    assert any("points to an object" in text for text in of(hunt, has_lfs=True)[0])


def test_the_documented_table_is_this_one() -> None:
    """docs/ci.md names every event that is tried here."""
    text = Path("docs/ci.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", text))
    events = {event.split(" ")[0] for _, event, *_ in TABLE} - {"tag", "web"}
    assert events <= named
