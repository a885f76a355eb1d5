"""The contract of Git hosts: subclass it, and name the Git host's module and a server like it."""

from typing import Any, Protocol

import pytest

from tunesmith.errors import UsageError
from tunesmith.pipeline.git_host.api import GitHostError
from tunesmith.pipeline.git_host.host import Comment, GitHost, git_host_here

SOURCE, TARGET = "training/one", "main"


class Backstage(Protocol):
    """A server that behaves like the Git host, and actions on it without the API."""

    me: str
    """User whose token the job has."""
    tells_author: bool
    page_size: int
    is_read_only: bool
    forbids_pulls: bool
    dispatched: list[dict[str, Any]]
    """``{workflow, ref, inputs}`` of each started workflow."""

    def environ(self) -> dict[str, str]:
        """Return the environment of a job on ``training/one``, with a token."""

    def add_pull(self, source: str, **more: Any) -> Any:
        """Open a pull request: ``target``, ``is_open``, ``repository`` of a fork."""

    def add_note(self, number: int, body: str, author: str = "ann", **more: Any) -> Any:
        """Add a comment."""

    def bodies(self, number: int) -> list[str]:
        """Return the comments of a pull request."""


class GitHostContract:
    """Tests of one Git host."""

    @pytest.fixture
    def server(self) -> Backstage:
        raise NotImplementedError

    @pytest.fixture
    def git_host(self, server: Backstage) -> GitHost:
        made = git_host_here(server.environ())
        assert made is not None
        return made

    def test_the_job_is_told_by_the_environment(self, git_host: GitHost) -> None:
        job = git_host.job
        assert (job.branch, job.target, job.number, job.foreign) == (SOURCE, None, None, None)
        assert job.run_url is not None
        assert job.run_url.startswith("https://")

    def test_elsewhere_it_is_not_found(self) -> None:
        assert git_host_here({"HOME": "/", "CI": "true"}) is None

    def test_what_the_forge_always_sets_is_missed(self, server: Backstage) -> None:
        # Enough to recognise the Git host, and nothing of what it has to tell.
        flags = {k: v for k, v in server.environ().items() if v == "true"}
        with pytest.raises(UsageError, match="is not set, and the Git host sets it"):
            git_host_here(flags)

    def test_the_newest_open_pull_request_of_the_branch(
        self, git_host: GitHost, server: Backstage
    ) -> None:
        assert git_host.pull_request(SOURCE) is None
        server.add_pull(SOURCE, is_open=False)
        server.add_pull("training/other")
        # Forks have branches of the same name, and one of them was deleted since.
        server.add_pull(SOURCE, repository="annette/churn")
        server.add_pull(SOURCE, repository="")
        assert git_host.pull_request(SOURCE) is None
        server.add_pull(SOURCE, target="old")
        newest = server.add_pull(SOURCE)
        pull = git_host.pull_request(SOURCE)
        assert pull is not None
        assert (pull.number, pull.source, pull.target) == (newest.number, SOURCE, TARGET)
        assert str(newest.number) in pull.url

    def test_a_pull_request_by_its_number(self, git_host: GitHost, server: Backstage) -> None:
        closed = server.add_pull(SOURCE, target="old", is_open=False).number
        pull = git_host.numbered(closed)
        assert pull is not None
        assert (pull.number, pull.source, pull.target) == (closed, SOURCE, "old")
        assert git_host.numbered(closed + 1) is None
        server.is_read_only = True
        assert git_host.numbered(closed) == pull

    def test_comments_of_all_pages_come_in_order(
        self, git_host: GitHost, server: Backstage
    ) -> None:
        number, server.page_size = server.add_pull(SOURCE).number, 3
        server.add_pull("other")
        server.add_note(number + 1, "elsewhere")
        for n in range(8):
            server.add_note(number, f"{n}")
        assert [c.body for c in git_host.comments(number)] == [str(n) for n in range(8)]
        assert {(c.author, c.is_bot) for c in git_host.comments(number)} == {("ann", False)}

    def test_a_comment_is_added_and_changed(self, git_host: GitHost, server: Backstage) -> None:
        number = server.add_pull(SOURCE).number
        made = git_host.comment(number, "one")
        assert (made.body, made.author, made.is_bot) == ("one", server.me, True)
        changed = git_host.change_comment(number, made.id, "two é☃ \x01 {}")
        assert changed == Comment(made.id, "two é☃ \x01 {}", made.author, is_bot=True)
        assert server.bodies(number) == [changed.body]
        assert git_host.author() == (server.me if server.tells_author else None)

    def test_own_comments_can_be_removed(self, git_host: GitHost, server: Backstage) -> None:
        number = server.add_pull(SOURCE).number
        server.add_note(number, "a person's")
        made = [git_host.comment(number, text).id for text in ("one", "two")]
        git_host.delete_comment(number, made[0])
        assert server.bodies(number) == ["a person's", "two"]
        with pytest.raises(GitHostError) as caught:
            git_host.delete_comment(number, made[0])
        assert caught.value.status == 404

    def test_comments_of_others_stay_as_they_are(
        self, git_host: GitHost, server: Backstage
    ) -> None:
        number = server.add_pull(SOURCE).number
        note = server.add_note(number, "mine", "ann")
        with pytest.raises(GitHostError, match="may not do this"):
            git_host.change_comment(number, note.id, "yours")
        assert server.bodies(number) == ["mine"]

    def test_a_pull_request_is_opened_once(self, git_host: GitHost) -> None:
        opened = git_host.open_pull_request(SOURCE, TARGET, "a title", "a body")
        assert git_host.pull_request(SOURCE) == opened
        # Who has opened it tells whether its checks start.
        assert git_host.starts_checks or opened.author == git_host.bot[0]
        with pytest.raises(GitHostError, match="already exists"):
            git_host.open_pull_request(SOURCE, TARGET, "a title", "a body")

    def test_settings_may_forbid_it(self, git_host: GitHost, server: Backstage) -> None:
        server.forbids_pulls = True
        with pytest.raises(GitHostError) as caught:
            git_host.open_pull_request(SOURCE, TARGET, "a title", "a body")
        assert caught.value.status == 403
        link = git_host.new_pull_request_url("training/a b#c", TARGET)
        assert link.startswith("https://")
        # A `#` or a blank in the name of a branch would end the address.
        assert not set(" #") & set(link)

    def test_tokens_that_may_only_read(self, git_host: GitHost, server: Backstage) -> None:
        number = server.add_pull(SOURCE).number
        server.is_read_only = True
        assert git_host.pull_request(SOURCE) is not None
        with pytest.raises(GitHostError, match="those of pull requests from forks may only read"):
            git_host.comment(number, "x")

    def test_workflows_are_started(self, git_host: GitHost, server: Backstage) -> None:
        git_host.dispatch("training.yml", SOURCE, {"why": "applied"})
        started = {"workflow": "training.yml", "ref": SOURCE, "inputs": {"why": "applied"}}
        assert server.dispatched == [started]
        with pytest.raises(GitHostError):
            git_host.dispatch("missing.yml", SOURCE, {})

    def test_without_a_token_or_with_a_wrong_one(self, server: Backstage) -> None:
        environ = server.environ()
        (name,) = [key for key in environ if key.endswith("TOKEN")]
        for value, words in [("", f"{name} is not set"), ("wrong-and-long", "is not valid")]:
            git_host = git_host_here(environ | {name: value})
            assert git_host is not None
            assert (git_host.login is None) == (value == "")
            assert (name in git_host.push_hint) == (value == "")
            with pytest.raises(GitHostError, match=words) as caught:
                git_host.pull_request(SOURCE)
            # Servers may repeat the token in their answer.
            assert "wrong-and-long" not in str(caught.value)

    def test_it_has_what_git_needs(self, git_host: GitHost, server: Backstage) -> None:
        assert git_host.login is not None
        assert git_host.login.server.startswith("http")
        assert git_host.login.token in server.environ().values()
        # Tracebacks and logs show objects by their `repr`.
        assert git_host.login.token not in repr(git_host)
        assert all(git_host.bot)
        assert git_host.push_hint == ""
        assert all(isinstance(option, str) for option in git_host.skip_ci)

    def test_warnings_are_one_line_of_the_log(self, git_host: GitHost) -> None:
        # A second line could be a command, written by whoever wrote the text.
        assert len(git_host.warning("one\r\n::error::two").splitlines()) == 1
