"""A job writes to the branch that is checked out, if nothing speaks against it; on real Git."""

import os
from functools import cache
from pathlib import Path
from threading import Thread

import pytest
from tests.pipeline.ci.test_checkout import BEST, git, push, write
from tests.pipeline.repositories import copy, new_place

from tunesmith.errors import UsageError
from tunesmith.pipeline.ci.checkout import Checkout
from tunesmith.pipeline.ci.place import place_for
from tunesmith.pipeline.git_host.github import GitHub
from tunesmith.pipeline.git_host.gitlab import GitLab
from tunesmith.pipeline.git_host.host import CIJob
from tunesmith.system.git import GitError

BASE = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "ann/churn"}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [n for n in os.environ if n.startswith(("GIT_", "GITHUB_", "GITLAB_", "CI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """With ``develop``, the default branch, and ``tuning/one``, two commits further."""
    copy(_made(), tmp_path, "person")
    return tmp_path / "remote.git"


@cache
def _made() -> Path:
    folder = new_place()
    remote, person = folder / "remote.git", folder / "person"
    git(folder, "init", "-q", "--bare", "-b", "develop", str(remote))
    git(folder, "clone", "-q", str(remote), str(person))
    git(person, "config", "user.name", "Ann")
    git(person, "config", "user.email", "ann@example.org")
    git(person, "switch", "-q", "-c", "develop")
    write(person, best="a: 1\n", code="1\n")
    push(person, "first")
    git(person, "switch", "-q", "-c", "tuning/one")
    for n in range(2):
        write(person, code=f"tuning {n}\n")
        push(person, f"tuning {n}")
    return folder


@pytest.fixture
def person(remote: Path, tmp_path: Path) -> Path:
    return tmp_path / "person"


@pytest.fixture
def root(remote: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "-q", str(remote), str(tmp_path / "job"))
    return tmp_path / "job"


def github(branch: str, event: str = "push", **more: str) -> GitHub:
    names = {"GITHUB_REF_NAME": branch, "GITHUB_REF": f"refs/heads/{branch}"}
    return GitHub({**BASE, **names, "GITHUB_EVENT_NAME": event, **more})


def lands(root: Path, git_host: GitHub | GitLab, branch: str | None = None) -> str:
    """Where a result goes to."""
    write(root, best=f"a: {os.urandom(4).hex()}\n")
    checkout = Checkout.in_ci(root, git_host)
    before = tips(root)
    done = checkout.commit_and_push(
        [BEST], "tune: x", git_host, branch=branch, sleep=lambda _: None
    )
    after = tips(root)
    moved = [name for name in after if after[name] != before.get(name)]
    assert moved == [done.branch]
    return done.branch


def refused(root: Path, git_host: GitHub | GitLab, branch: str | None = None) -> str:
    """What is said where nothing may go anywhere."""
    write(root, best=f"a: {os.urandom(4).hex()}\n")
    before, head = tips(root), git(root, "rev-parse", "HEAD")
    with pytest.raises(UsageError) as caught:
        Checkout.in_ci(root, git_host).commit_and_push(
            [BEST], "x", git_host, branch=branch, sleep=lambda _: None
        )
    assert tips(root) == before
    assert git(root, "rev-parse", "HEAD") == head
    return str(caught.value)


def tips(root: Path) -> dict[str, str]:
    rows = [line.split("\t") for line in git(root, "ls-remote", "--heads", "origin").splitlines()]
    return {name.removeprefix("refs/heads/"): commit for commit, name in rows}


def test_a_job_on_main_that_checks_out_a_tuning_branch(root: Path) -> None:
    git(root, "switch", "-q", "tuning/one")
    said = refused(root, github("develop"))
    assert "`tuning/one` is checked out, and this job runs for `develop`" in said
    assert "--branch tuning/one" in said
    assert lands(root, github("develop", "schedule"), "tuning/one") == "tuning/one"


def test_the_default_branch_has_to_be_named(root: Path) -> None:
    for event in ("push", "schedule", "workflow_dispatch"):
        assert "`develop` is the default branch" in refused(root, github("develop", event))
    assert lands(root, github("develop"), "develop") == "develop"


def test_the_forge_tells_which_branch_is_the_default(root: Path, tmp_path: Path) -> None:
    payload = tmp_path / "event.json"
    payload.write_text('{"repository": {"default_branch": "tuning/one"}}')
    git(root, "switch", "-q", "tuning/one")
    git_host = github("tuning/one", GITHUB_EVENT_PATH=str(payload))
    assert "`tuning/one` is the default branch" in refused(root, git_host)


def test_a_default_branch_that_was_renamed_since(root: Path, tmp_path: Path) -> None:
    """A job that is run again has the event as it was then."""
    payload = tmp_path / "event.json"
    payload.write_text('{"repository": {"default_branch": "main"}}')
    git_host = github("develop", GITHUB_EVENT_PATH=str(payload))
    assert "`develop` is the default branch" in refused(root, git_host)


@pytest.mark.parametrize("event", ["pull_request_target", "merge_group", "issue_comment", "fork"])
def test_events_that_are_no_branchs_own(root: Path, event: str) -> None:
    git(root, "switch", "-q", "tuning/one")
    for branch in (None, "tuning/one"):
        assert "Commit from a job that runs on a push" in refused(
            root, github("tuning/one", event), branch
        )


def test_a_push_to_the_queue_is_refused_as_well(root: Path, person: Path) -> None:
    queue = "gh-readonly-queue/develop/pr-1-abc"
    git(person, "push", "-q", "origin", f"HEAD:refs/heads/{queue}")
    git(root, "fetch", "-q")
    git(root, "switch", "-q", queue)
    assert "merge queue" in refused(root, github(queue))


def test_a_forks_head_is_not_on_our_branch(root: Path, person: Path, tmp_path: Path) -> None:
    """``pull_request_target`` under another name: a fork's commit, detached, on a branch's job."""
    git(person, "switch", "-q", "-c", "fork")
    write(person, code="the fork's\n")
    git(person, "commit", "-q", "-am", "fork")
    git(root, "fetch", "-q", str(person), "fork")
    git(root, "checkout", "-q", "--detach", "FETCH_HEAD")
    for branch in (None, "tuning/one"):
        assert "is not on `tuning/one` of origin" in refused(root, github("tuning/one"), branch)


@pytest.mark.parametrize("depth", [[], ["--depth", "1"]])
def test_a_detached_head_that_the_branch_holds(
    remote: Path, tmp_path: Path, depth: list[str], person: Path
) -> None:
    """As GitLab leaves it, and for a re-run of an old commit."""
    root = tmp_path / "job"
    git(tmp_path, "clone", "-q", *depth, "--branch", "tuning/one", f"file://{remote}", str(root))
    git(root, "checkout", "-q", "--detach")
    write(person, code="later\n")
    later = push(person, "later")
    assert lands(root, github("tuning/one")) == "tuning/one"
    assert git(remote, "rev-parse", "tuning/one^") == later
    git(person, "reset", "-q", "--hard", "HEAD~2")
    write(person, code="another history\n")
    git(person, "commit", "-q", "-am", "rewritten")
    git(person, "push", "-q", "--force", "origin", "HEAD")
    assert "the branch was rewritten since" in refused(root, github("tuning/one"))


def test_where_both_commits_are_cut_off_from_their_history(remote: Path, tmp_path: Path) -> None:
    """GitLab's depth of 1, and a job that is run again after somebody has pushed."""
    root, url = tmp_path / "job", f"file://{remote}"
    old = git(remote, "rev-parse", "tuning/one~1")
    git(tmp_path, "init", "-q", str(root))
    git(root, "remote", "add", "origin", url)
    tip = "+refs/heads/tuning/one:refs/remotes/origin/tuning/one"
    git(remote, "config", "uploadpack.allowReachableSHA1InWant", "true")
    git(root, "fetch", "-q", "--depth=1", "origin", f"+{old}:refs/pipelines/1", tip)
    git(root, "checkout", "-q", "--detach", old)
    assert lands(root, github("tuning/one")) == "tuning/one"


def test_a_branch_that_was_deleted_stays_deleted(root: Path, person: Path) -> None:
    git(root, "switch", "-q", "tuning/one")
    git(person, "push", "-q", "origin", ":tuning/one")
    assert "origin has no branch `tuning/one` (any more)" in refused(root, github("tuning/one"))
    assert "any more" in refused(root, github("tuning/one"), "tuning/one")
    # Outside of CI a branch may begin.
    write(root, best="a: new\n")
    assert Checkout.in_ci(root, None).commit_and_push([BEST], "x", None).commit


def test_a_tag_of_the_same_name(root: Path) -> None:
    git(root, "switch", "-q", "tuning/one")
    git(root, "tag", "tuning/one")
    assert lands(root, github("tuning/one")) == "tuning/one"


def test_a_submodule_is_not_the_jobs_repository(
    root: Path, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")
    git(root, "switch", "-q", "tuning/one")
    git(root, "submodule", "--quiet", "add", "-b", "tuning/one", str(remote), "part")
    git(root, "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-q", "-m", "with a part")
    git_host = github("tuning/one")
    assert "part is a submodule" in refused(root / "part", git_host)
    # Nor does a result put a file in the place of the whole submodule.
    with pytest.raises(UsageError, match="results lie in the submodule part"):
        Checkout.in_ci(root, git_host).commit(["part/code"], "x", git_host)


def test_commits_of_the_job_itself_come_along(root: Path, remote: Path) -> None:
    git(root, "switch", "-q", "tuning/one")
    who = ("-c", "user.name=A", "-c", "user.email=a@b.c")
    write(root, code="the job's\n")
    git(root, *who, "commit", "-q", "-am", "by an earlier step")
    mine = git(root, "rev-parse", "HEAD")
    assert lands(root, github("tuning/one")) == "tuning/one"
    assert git(remote, "rev-parse", "tuning/one^") == mine == git(root, "rev-parse", "HEAD^")


def test_pushing_brings_nothing_else_along(root: Path, remote: Path) -> None:
    git(root, "switch", "-q", "tuning/one")
    for name, value in (
        ("push.followTags", "true"),
        ("push.gpgSign", "true"),
        ("push.recurseSubmodules", "on-demand"),
        ("push.default", "matching"),
        ("remote.origin.mirror", "false"),
    ):
        git(root, "config", name, value)
    git(root, "-c", "user.name=A", "-c", "user.email=a@b.c", "tag", "-a", "v1", "-m", "x")
    assert lands(root, github("tuning/one")) == "tuning/one"
    assert git(remote, "tag") == ""


def test_where_is_pushed_to_counts_and_not_where_is_fetched_from(
    root: Path, remote: Path, person: Path, tmp_path: Path
) -> None:
    """A mirror to read from, which lags behind."""
    target = tmp_path / "target.git"
    git(tmp_path, "clone", "-q", "--bare", str(remote), str(target))
    git(root, "switch", "-q", "tuning/one")
    git(root, "remote", "set-url", "--push", "origin", str(target))
    write(person, code="later\n")
    git(person, "commit", "-q", "-am", "later")
    git(person, "push", "-q", str(target), "HEAD:tuning/one")
    mirrored = tips(root)
    write(root, best="a: new\n")
    git_host = github("tuning/one")
    assert Checkout.in_ci(root, git_host).commit_and_push([BEST], "tune: x", git_host).commit
    subjects = git(target, "log", "--format=%s", "-2", "tuning/one").splitlines()
    assert (subjects, tips(root)) == (["tune: x", "later"], mirrored)


def test_gitlab_jobs(root: Path) -> None:
    own = {
        "CI_API_V4_URL": "https://forge.example/api/v4",
        "CI_PROJECT_ID": "5",
        "CI_PROJECT_URL": "https://forge.example/ann/churn",
        "CI_DEFAULT_BRANCH": "develop",
    }
    git(root, "checkout", "-q", "--detach", "origin/tuning/one")
    push_ = own | {"CI_COMMIT_BRANCH": "tuning/one", "CI_PIPELINE_SOURCE": "push"}
    # This server takes no options of a push: it is told in the message that nothing is to run.
    assert lands(root, GitLab(push_)) == "tuning/one"
    assert git(root, "log", "-1", "--format=%B") == "tune: x\n\n[skip ci]"
    for more in (
        {"CI_PIPELINE_SOURCE": "external_pull_request_event"},
        {"CI_MERGE_REQUEST_IID": "4", "CI_PIPELINE_SOURCE": "merge_request_event"},
    ):
        assert "Commit from a job" in refused(root, GitLab(push_ | more))
    git(root, "checkout", "-q", "-f", "--detach", "origin/develop")
    assert "default branch" in refused(root, GitLab(push_ | {"CI_COMMIT_BRANCH": "develop"}))
    tag = own | {"CI_COMMIT_TAG": "v1", "CI_PIPELINE_SOURCE": "push"}
    assert "HEAD is detached" in refused(root, GitLab(tag))


def test_without_a_job_a_person_says_where() -> None:
    assert place_for("tuning/one", None, None).may_begin
    with pytest.raises(UsageError, match="HEAD is detached"):
        place_for(None, None, None)
    with pytest.raises(UsageError, match="`--branch` names `b`"):
        place_for("a", None, "b")
    job = CIJob(branch=None, target=None, number=None, run_url=None, summary=None)
    with pytest.raises(UsageError, match="this job runs for no branch"):
        place_for("tuning/one", job, None)


@pytest.mark.parametrize("is_moved", [True, False])
def test_a_push_that_ends_without_a_word(
    root: Path, person: Path, monkeypatch: pytest.MonkeyPatch, is_moved: bool
) -> None:
    git(root, "switch", "-q", "tuning/one")
    write(root, best="a: new\n")
    push_commits, tries = Checkout.push_commits, list[int]()

    def silent(self: Checkout, *given: object) -> None:
        tries.append(1)
        if len(tries) > 1:
            push_commits(self, *given)  # type: ignore[arg-type]
            return
        if is_moved:
            (person / "other.txt").write_text("o\n")
            push(person, "other")
        raise GitError("origin could not be reached (no reason given).", "")

    monkeypatch.setattr(Checkout, "push_commits", silent)
    git_host = github("tuning/one")
    checkout = Checkout.in_ci(root, git_host)
    if is_moved:
        assert checkout.commit_and_push([BEST], "x", git_host, sleep=lambda _: None).commit
    else:
        with pytest.raises(GitError, match="no reason given"):
            checkout.commit_and_push([BEST], "x", git_host, sleep=lambda _: None)


def test_eight_jobs_at_once_all_land(remote: Path, tmp_path: Path) -> None:
    """The results of each are files of its own; nobody waits for more than a while."""
    roots = [tmp_path / f"job{n}" for n in range(8)]
    for n, root in enumerate(roots):
        git(tmp_path, "clone", "-q", "--branch", "tuning/one", str(remote), str(root))
        write(root, **{f"outputs/{n}.md": f"{n}\n"})
    git_host, problems = github("tuning/one"), list[str]()

    def run(n: int, root: Path) -> None:
        try:
            Checkout.in_ci(root, git_host).commit_and_push(
                [f"outputs/{n}.md"], f"job {n}", git_host
            )
        except GitError as error:
            problems.append(str(error))

    jobs = [Thread(target=run, args=item) for item in enumerate(roots)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert problems == []
    listed = git(remote, "ls-tree", "-r", "--name-only", "tuning/one", "outputs/").split()
    assert listed == [f"outputs/{n}.md" for n in range(8)]
    subjects = git(remote, "log", "--format=%s", "-8", "tuning/one").splitlines()
    assert sorted(subjects) == [f"job {n}" for n in range(8)]


def test_a_lease_is_carried(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(root, "switch", "-q", "tuning/one")
    tip = git(root, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    lands(root, github("tuning/one"))
    assert f"--force-with-lease=refs/heads/tuning/one:{tip}" in (tmp_path / "trace").read_text()
