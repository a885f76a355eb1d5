"""The contract of Git hosts: subclass it, and name the Git host's module and a server like it."""

from typing import Any, Protocol

import pytest

from tunesmith.errors import UsageError
from tunesmith.pipeline.git_host.api import ForgeError
from tunesmith.pipeline.git_host.host import Comment, Forge, forge_here

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


class ForgeContract:
    """Tests of one forge."""

    @pytest.fixture
    def server(self) -> Backstage:
        raise NotImplementedError

    @pytest.fixture
    def forge(self, server: Backstage) -> Forge:
        found = forge_here(server.environ())
        assert found is not None
        return found

    def test_the_job_is_told_by_the_environment(self, forge: Forge) -> None:
        job = forge.job
        assert (job.branch, job.target, job.number, job.foreign) == (SOURCE, None, None, None)
        assert job.run_url is not None
        assert job.run_url.startswith("https://")

    def test_elsewhere_it_is_not_found(self) -> None:
        assert forge_here({"HOME": "/", "CI": "true"}) is None

    def test_what_the_forge_always_sets_is_missed(self, server: Backstage) -> None:
        flags = {k: v for k, v in server.environ().items() if v == "true"}
        with pytest.raises(UsageError, match="is not set, and the forge sets it"):
            forge_here(flags)

    def test_the_newest_open_pull_request_of_the_branch(
        self, forge: Forge, server: Backstage
    ) -> None:
        assert forge.pull_request(SOURCE) is None
        server.add_pull(SOURCE, is_open=False)
        server.add_pull("training/other")
        server.add_pull(SOURCE, repository="annette/churn")
        server.add_pull(SOURCE, repository="")
        assert forge.pull_request(SOURCE) is None
        server.add_pull(SOURCE, target="old")
        newest = server.add_pull(SOURCE)
        found = forge.pull_request(SOURCE)
        assert found is not None
        assert (found.number, found.source, found.target) == (newest.number, SOURCE, TARGET)
        assert str(newest.number) in found.url

    def test_a_pull_request_by_its_number(self, forge: Forge, server: Backstage) -> None:
        closed = server.add_pull(SOURCE, target="old", is_open=False).number
        found = forge.numbered(closed)
        assert found is not None
        assert (found.number, found.source, found.target) == (closed, SOURCE, "old")
        assert forge.numbered(closed + 1) is None
        server.is_read_only = True
        assert forge.numbered(closed) == found

    def test_comments_of_all_pages_come_in_order(self, forge: Forge, server: Backstage) -> None:
        number, server.page_size = server.add_pull(SOURCE).number, 3
        server.add_pull("other")
        server.add_note(number + 1, "elsewhere")
        for n in range(8):
            server.add_note(number, f"{n}")
        assert [c.body for c in forge.comments(number)] == [str(n) for n in range(8)]
        assert {(c.author, c.is_bot) for c in forge.comments(number)} == {("ann", False)}

    def test_a_comment_is_added_and_changed(self, forge: Forge, server: Backstage) -> None:
        number = server.add_pull(SOURCE).number
        made = forge.comment(number, "one")
        assert (made.body, made.author, made.is_bot) == ("one", server.me, True)
        changed = forge.change_comment(number, made.id, "two é☃ \x01 {}")
        assert changed == Comment(made.id, "two é☃ \x01 {}", made.author, is_bot=True)
        assert server.bodies(number) == [changed.body]
        assert forge.author() == (server.me if server.tells_author else None)

    def test_own_comments_can_be_removed(self, forge: Forge, server: Backstage) -> None:
        number = server.add_pull(SOURCE).number
        server.add_note(number, "a person's")
        made = [forge.comment(number, text).id for text in ("one", "two")]
        forge.delete_comment(number, made[0])
        assert server.bodies(number) == ["a person's", "two"]
        with pytest.raises(ForgeError) as caught:
            forge.delete_comment(number, made[0])
        assert caught.value.status == 404

    def test_comments_of_others_stay_as_they_are(self, forge: Forge, server: Backstage) -> None:
        number = server.add_pull(SOURCE).number
        note = server.add_note(number, "mine", "ann")
        with pytest.raises(ForgeError, match="may not do this"):
            forge.change_comment(number, note.id, "yours")
        assert server.bodies(number) == ["mine"]

    def test_a_pull_request_is_opened_once(self, forge: Forge) -> None:
        opened = forge.open_pull_request(SOURCE, TARGET, "a title", "a body")
        assert forge.pull_request(SOURCE) == opened
        # Who has opened it tells whether its checks start.
        assert forge.starts_checks or opened.author == forge.bot[0]
        with pytest.raises(ForgeError, match="already exists"):
            forge.open_pull_request(SOURCE, TARGET, "a title", "a body")

    def test_settings_may_forbid_it(self, forge: Forge, server: Backstage) -> None:
        server.forbids_pulls = True
        with pytest.raises(ForgeError) as caught:
            forge.open_pull_request(SOURCE, TARGET, "a title", "a body")
        assert caught.value.status == 403
        link = forge.new_pull_request_url("training/a b#c", TARGET)
        assert link.startswith("https://")
        assert not set(" #") & set(link)

    def test_tokens_that_may_only_read(self, forge: Forge, server: Backstage) -> None:
        number = server.add_pull(SOURCE).number
        server.is_read_only = True
        assert forge.pull_request(SOURCE) is not None
        with pytest.raises(ForgeError, match="those of pull requests from forks may only read"):
            forge.comment(number, "x")

    def test_workflows_are_started(self, forge: Forge, server: Backstage) -> None:
        forge.dispatch("training.yml", SOURCE, {"why": "applied"})
        started = {"workflow": "training.yml", "ref": SOURCE, "inputs": {"why": "applied"}}
        assert server.dispatched == [started]
        with pytest.raises(ForgeError):
            forge.dispatch("missing.yml", SOURCE, {})

    def test_without_a_token_or_with_a_wrong_one(self, server: Backstage) -> None:
        environ = server.environ()
        (name,) = [key for key in environ if key.endswith("TOKEN")]
        for value, words in [("", f"{name} is not set"), ("wrong-and-long", "is not valid")]:
            forge = forge_here(environ | {name: value})
            assert forge is not None
            assert (forge.login is None) == (value == "")
            assert (name in forge.push_hint) == (value == "")
            with pytest.raises(ForgeError, match=words) as caught:
                forge.pull_request(SOURCE)
            assert "wrong-and-long" not in str(caught.value)

    def test_it_has_what_git_needs(self, forge: Forge, server: Backstage) -> None:
        assert forge.login is not None
        assert forge.login.server.startswith("http")
        assert forge.login.token in server.environ().values()
        assert forge.login.token not in repr(forge)
        assert all(forge.bot)
        assert forge.push_hint == ""
        assert all(isinstance(option, str) for option in forge.skip_ci)

    def test_warnings_are_one_line_of_the_log(self, forge: Forge) -> None:
        assert len(forge.warning("one\r\n::error::two").splitlines()) == 1
