"""Both Git hosts keep the contract, on servers that behave like them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.pipeline.git_host.servers import (
    REPOSITORY,
    ForgeServer,
    GitHubServer,
    GitLabServer,
    served,
)

from tunesmith.pipeline.git_host.gitlab import GitLab
from tunesmith.pipeline.git_host.host import GitHost, git_host_here
from tunesmith.testing.git_host import GitHostContract


def told(server: ForgeServer, more: Mapping[str, str | None]) -> GitHost:
    """A job with other variables; ``None`` takes one away."""
    environ = {**server.environ(), **more}
    found = git_host_here({k: v for k, v in environ.items() if v is not None})
    assert found is not None
    return found


class TestGitHub(GitHostContract):
    @pytest.fixture
    def server(self) -> Iterator[ForgeServer]:
        with served(GitHubServer()) as server:
            yield server

    def test_a_job_of_a_pull_request(self, server: ForgeServer) -> None:
        found = git_host_here(
            server.environ()
            | {
                "GITHUB_REF": "refs/pull/12/merge",
                "GITHUB_REF_NAME": "12/merge",
                "GITHUB_HEAD_REF": "training/one",
                "GITHUB_BASE_REF": "main",
            }
        )
        assert found is not None
        assert (found.job.branch, found.job.target, found.job.number) == (
            "training/one",
            "main",
            12,
        )

    def test_a_job_of_a_tag_has_no_branch(self, server: ForgeServer) -> None:
        tag = {"GITHUB_REF": "refs/tags/v1", "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1"}
        found = git_host_here(server.environ() | tag)
        assert found is not None
        assert found.job.branch is None

    @pytest.mark.parametrize(
        "environ",
        [
            {"GITHUB_REF": "refs/tags/v1", "GITHUB_REF_NAME": "v1", "GITHUB_REF_TYPE": ""},
            {"GITHUB_REF": "refs/tags/v1", "GITHUB_REF_NAME": "v1", "GITHUB_REF_TYPE": None},
            {"GITHUB_REF": "refs/heads/training/two"},
            {"GITHUB_REF_TYPE": "tag"},
            {"GITHUB_REF": None, "GITHUB_REF_NAME": None},
            {"GITHUB_REF": "refs/heads/training/one/x"},
        ],
    )
    def test_of_variables_that_disagree_none_is_believed(
        self, server: ForgeServer, environ: dict[str, str | None]
    ) -> None:
        job = told(server, environ).job
        assert (job.branch, job.foreign) == (None, None)

    @pytest.mark.parametrize("missing", ["GITHUB_REF", "GITHUB_REF_NAME", "GITHUB_REF_TYPE"])
    def test_one_of_them_is_enough(self, server: ForgeServer, missing: str) -> None:
        assert told(server, {missing: None}).job.branch == "training/one"

    @pytest.mark.parametrize(
        ("environ", "payload"),
        [
            ({"GITHUB_HEAD_REF": "training/one"}, {}),
            ({"GITHUB_EVENT_NAME": "release"}, {}),
            ({"GITHUB_EVENT_NAME": "push"}, {"pull_request": {"number": 3}}),
            *[
                ({"GITHUB_EVENT_NAME": "workflow_run"}, {"workflow_run": run})
                for run in (
                    {"event": "pull_request", "head_repository": {"full_name": REPOSITORY}},
                    {"event": "pull_request_target"},
                    {"event": "push", "head_repository": {"full_name": "bob/churn"}},
                )
            ],
        ],
    )
    def test_jobs_of_others(
        self, server: ForgeServer, tmp_path: Path, environ: dict[str, str], payload: object
    ) -> None:
        file = tmp_path / "event.json"
        file.write_text(json.dumps(payload))
        assert told(server, {**environ, "GITHUB_EVENT_PATH": str(file)}).job.foreign

    def test_a_run_after_a_push_is_a_branchs_own(self, server: ForgeServer, tmp_path: Path) -> None:
        file = tmp_path / "event.json"
        run = {"event": "push", "head_repository": {"full_name": REPOSITORY.upper()}}
        file.write_text(json.dumps({"workflow_run": run}))
        after = {"GITHUB_EVENT_NAME": "workflow_run", "GITHUB_EVENT_PATH": str(file)}
        assert told(server, after).job.foreign is None


class TestGitLab(GitHostContract):
    @pytest.fixture
    def server(self) -> Iterator[ForgeServer]:
        with served(GitLabServer()) as server:
            yield server

    def test_a_job_of_a_merge_request(self, server: ForgeServer) -> None:
        more = {
            "CI_MERGE_REQUEST_IID": "12",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "training/two",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        }
        job = GitLab(server.environ() | more).job
        assert (job.branch, job.target, job.number) == ("training/two", "main", 12)

    @pytest.mark.parametrize(
        "more",
        [
            {"CI_COMMIT_REF_NAME": "refs/merge-requests/1/train"},
            {"CI_MERGE_REQUEST_REF_PATH": "refs/merge-requests/1/merge"},
            {"CI_EXTERNAL_PULL_REQUEST_IID": "4"},
            {"CI_MERGE_REQUEST_IID": "12"},
            {"CI_PIPELINE_SOURCE": "security_orchestration_policy"},
        ],
    )
    def test_jobs_of_merge_requests_and_their_children(
        self, server: ForgeServer, more: dict[str, str]
    ) -> None:
        """A child pipeline says that it comes from a parent, and has the parent's variables."""
        environ = {**server.environ(), "CI_PIPELINE_SOURCE": "parent_pipeline"}
        assert GitLab(environ).job.foreign is None
        assert GitLab(environ | more).job.foreign

    def test_its_own_remarks_are_no_comments(self, server: ForgeServer) -> None:
        number = server.add_pull("training/one").number
        server.add_note(number, "added 1 commit", is_system=True)
        assert list(GitLab(server.environ()).comments(number)) == []

    def test_reports_cannot_act(self, server: ForgeServer) -> None:
        number = server.add_pull("training/one").number
        GitLab(server.environ()).comment(number, "# Results\n/merge\n\t/approve\nsee a/b")
        assert server.bodies(number) == ["# Results\n\\/merge\n\t\\/approve\nsee a/b"]

    def test_a_jobs_own_token(self, server: ForgeServer) -> None:
        environ = server.environ() | {"TUNESMITH_TOKEN": "", "CI_JOB_TOKEN": "of-the-job-alone"}
        git_host = GitLab(environ)
        assert git_host.login is not None
        assert git_host.login.user == "gitlab-ci-token"
        with pytest.raises(Exception, match="401"):
            git_host.pull_request("training/one")
        assert server.seen[-1].headers["job-token"] == "of-the-job-alone"
