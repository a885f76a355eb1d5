"""Both forges keep the contract, on servers that behave like them."""

from collections.abc import Iterator

import pytest
from tests.pipeline.forge.servers import ForgeServer, GitHubServer, GitLabServer, served

from tunesmith.pipeline.forge.forge import forge_here
from tunesmith.pipeline.forge.gitlab import GitLab
from tunesmith.testing.forge import ForgeContract


class TestGitHub(ForgeContract):
    @pytest.fixture
    def server(self) -> Iterator[ForgeServer]:
        with served(GitHubServer()) as server:
            yield server

    def test_a_job_of_a_pull_request(self, server: ForgeServer) -> None:
        found = forge_here(
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
        found = forge_here(server.environ() | tag)
        assert found is not None
        assert found.job.branch is None


class TestGitLab(ForgeContract):
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
        forge = GitLab(environ)
        assert forge.login is not None
        assert forge.login.user == "gitlab-ci-token"
        with pytest.raises(Exception, match="401"):
            forge.pull_request("training/one")
        assert server.seen[-1].headers["job-token"] == "of-the-job-alone"
