"""One comment, whatever happens on the way; on servers that behave like the Git hosts."""

from collections.abc import Iterator
from threading import Barrier, Thread, get_ident
from typing import Any

import pytest
from tests.pipeline.git_host.servers import Fault, ForgeServer, GitHubServer, GitLabServer, served

from tunesmith.errors import UsageError
from tunesmith.pipeline.ci.sticky import TRIES, check_id, mark, put_comment
from tunesmith.pipeline.git_host.api import GitHostError
from tunesmith.pipeline.git_host.host import GitHost, git_host_here

MARK = mark("churn")


@pytest.fixture(params=[GitHubServer, GitLabServer])
def server(request: pytest.FixtureRequest) -> Iterator[ForgeServer]:
    with served(request.param()) as server:
        server.add_pull("training/one")
        server.page_size = 3
        for n in range(5):
            server.add_note(1, f"a person's {n}")
        yield server


@pytest.fixture
def git_host(server: ForgeServer) -> GitHost:
    found = git_host_here(server.environ())
    assert found is not None
    return found


def put(git_host: GitHost, text: str, study: str = "churn") -> str:
    return put_comment(git_host, 1, study, text, lambda _: None)[1]


def own(server: ForgeServer) -> list[str]:
    return [body for body in server.bodies(1) if body.startswith("<!--")]


def test_it_is_created_and_then_rewritten(git_host: GitHost, server: ForgeServer) -> None:
    assert put(git_host, "one\n") == "created"
    assert put(git_host, "two\n") == "updated"
    assert put(git_host, "two\n") == "unchanged"
    assert own(server) == [f"{MARK}\ntwo\n"]
    assert put(git_host, "three", study="other") == "created"
    assert put(git_host, "four") == "updated"
    assert own(server) == [f"{MARK}\nfour", f"{mark('other')}\nthree"]


def test_of_several_the_newest_is_rewritten_and_the_older_go(
    git_host: GitHost, server: ForgeServer
) -> None:
    server.add_note(1, f"{MARK}\r\nold", server.me)
    server.add_note(1, f"{MARK}\r\nnew", server.me)
    assert put(git_host, "x") == "updated"
    assert own(server) == [f"{MARK}\nx"]


def test_of_two_jobs_at_once_one_comment_stays(git_host: GitHost, server: ForgeServer) -> None:
    # Both have looked, and found none.
    both, done = Barrier(2, timeout=20), list[str]()
    look = type(git_host).comments
    waited = set[int]()

    def slowly(self: Any, number: int) -> Any:
        found = list(look(self, number))
        if get_ident() not in waited:
            waited.add(get_ident())
            both.wait()
        return iter(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(git_host), "comments", slowly)
        jobs = [
            Thread(target=lambda t=text: done.append(put(git_host, t))) for text in ("one", "two")
        ]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
    assert done == ["created", "created"]
    assert own(server) in ([f"{MARK}\none"], [f"{MARK}\ntwo"])


def test_what_may_not_be_removed_tells_the_same_at_least(
    git_host: GitHost, server: ForgeServer
) -> None:
    server.add_note(1, f"{MARK}\nold", server.me)
    server.add_note(1, f"{MARK}\nnew", server.me)
    server.keeps_notes = True
    assert put(git_host, "x") == "updated"
    assert own(server) == [f"{MARK}\nx"] * 2


def test_a_matrix_of_jobs_has_a_comment_each(git_host: GitHost, server: ForgeServer) -> None:
    for text in ("a", "b"):
        for name in ("3.12", "3.13", None):
            put_comment(git_host, 1, "churn", f"{text} {name}", lambda _: None, name=name)
    assert own(server) == [
        f"{mark('churn', '3.12')}\nb 3.12",
        f"{mark('churn', '3.13')}\nb 3.13",
        f"{MARK}\nb None",
    ]


@pytest.mark.parametrize("name", ["", "a-->b", "x\ny", "<b>", "a" * 81])
def test_odd_ids_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--id: "):
        check_id(name)


def test_comments_of_people_and_other_programs_are_let_alone(
    git_host: GitHost, server: ForgeServer
) -> None:
    server.add_note(1, f"{MARK}\nmine", "ann")
    server.add_note(1, f"quoted:\n{MARK}", server.me)
    server.add_note(1, f"{MARK}\nanother program's", "other[bot]")
    for _ in range(2):
        put(git_host, "x")
    bodies = server.bodies(1)[5:]
    assert bodies[0] == f"{MARK}\nmine"
    assert bodies[2:] == [f"{MARK}\nanother program's", f"{MARK}\nx"]


@pytest.mark.parametrize("is_done", [True, False])
@pytest.mark.parametrize("is_dropped", [True, False])
def test_no_answer_is_no_reason_for_a_second_one(
    git_host: GitHost, server: ForgeServer, is_done: bool, is_dropped: bool
) -> None:
    # The author and two pages of comments are read first.
    server.faults = [None, None, None, Fault(502, is_dropped=is_dropped, is_done=is_done)]
    assert put(git_host, "x") in ("created", "unchanged")
    assert own(server) == [f"{MARK}\nx"]


def test_it_gives_up_in_the_end(git_host: GitHost, server: ForgeServer) -> None:
    server.faults = [None, *[None, None, Fault(500)] * TRIES]
    with pytest.raises(GitHostError, match="500"):
        put(git_host, "x")
    assert (own(server), server.faults) == ([], [])


def test_tokens_that_may_only_read(git_host: GitHost, server: ForgeServer) -> None:
    server.is_read_only = True
    with pytest.raises(GitHostError, match="may only read"):
        put(git_host, "x")
    assert own(server) == []
