"""One comment, whatever happens on the way; on servers that behave like the forges."""

from collections.abc import Iterator
from threading import Barrier, Thread, get_ident
from typing import Any

import pytest
from tests.pipeline.git_host.servers import Fault, ForgeServer, GitHubServer, GitLabServer, served

from tunesmith.errors import UsageError
from tunesmith.pipeline.ci.sticky import TRIES, check_id, mark, put_comment
from tunesmith.pipeline.git_host.api import ForgeError
from tunesmith.pipeline.git_host.host import Forge, forge_here

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
def forge(server: ForgeServer) -> Forge:
    found = forge_here(server.environ())
    assert found is not None
    return found


def put(forge: Forge, text: str, study: str = "churn") -> str:
    return put_comment(forge, 1, study, text, lambda _: None)[1]


def own(server: ForgeServer) -> list[str]:
    return [body for body in server.bodies(1) if body.startswith("<!--")]


def test_it_is_created_and_then_rewritten(forge: Forge, server: ForgeServer) -> None:
    assert put(forge, "one\n") == "created"
    assert put(forge, "two\n") == "updated"
    assert put(forge, "two\n") == "unchanged"
    assert own(server) == [f"{MARK}\ntwo\n"]
    assert put(forge, "three", study="other") == "created"
    assert put(forge, "four") == "updated"
    assert own(server) == [f"{MARK}\nfour", f"{mark('other')}\nthree"]


def test_of_several_the_newest_is_rewritten_and_the_older_go(
    forge: Forge, server: ForgeServer
) -> None:
    server.add_note(1, f"{MARK}\r\nold", server.me)
    server.add_note(1, f"{MARK}\r\nnew", server.me)
    assert put(forge, "x") == "updated"
    assert own(server) == [f"{MARK}\nx"]


def test_of_two_jobs_at_once_one_comment_stays(forge: Forge, server: ForgeServer) -> None:
    # Both have looked, and found none.
    both, done = Barrier(2, timeout=20), list[str]()
    look = type(forge).comments
    waited = set[int]()

    def slowly(self: Any, number: int) -> Any:
        found = list(look(self, number))
        if get_ident() not in waited:
            waited.add(get_ident())
            both.wait()
        return iter(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(forge), "comments", slowly)
        jobs = [Thread(target=lambda t=text: done.append(put(forge, t))) for text in ("one", "two")]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
    assert done == ["created", "created"]
    assert own(server) in ([f"{MARK}\none"], [f"{MARK}\ntwo"])


def test_what_may_not_be_removed_tells_the_same_at_least(forge: Forge, server: ForgeServer) -> None:
    server.add_note(1, f"{MARK}\nold", server.me)
    server.add_note(1, f"{MARK}\nnew", server.me)
    server.keeps_notes = True
    assert put(forge, "x") == "updated"
    assert own(server) == [f"{MARK}\nx"] * 2


def test_a_matrix_of_jobs_has_a_comment_each(forge: Forge, server: ForgeServer) -> None:
    for text in ("a", "b"):
        for name in ("3.12", "3.13", None):
            put_comment(forge, 1, "churn", f"{text} {name}", lambda _: None, name=name)
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
    forge: Forge, server: ForgeServer
) -> None:
    server.add_note(1, f"{MARK}\nmine", "ann")
    server.add_note(1, f"quoted:\n{MARK}", server.me)
    server.add_note(1, f"{MARK}\nanother program's", "other[bot]")
    for _ in range(2):
        put(forge, "x")
    bodies = server.bodies(1)[5:]
    assert bodies[0] == f"{MARK}\nmine"
    assert bodies[2:] == [f"{MARK}\nanother program's", f"{MARK}\nx"]


@pytest.mark.parametrize("is_done", [True, False])
@pytest.mark.parametrize("is_dropped", [True, False])
def test_no_answer_is_no_reason_for_a_second_one(
    forge: Forge, server: ForgeServer, is_done: bool, is_dropped: bool
) -> None:
    # The author and two pages of comments are read first.
    server.faults = [None, None, None, Fault(502, is_dropped=is_dropped, is_done=is_done)]
    assert put(forge, "x") in ("created", "unchanged")
    assert own(server) == [f"{MARK}\nx"]


def test_it_gives_up_in_the_end(forge: Forge, server: ForgeServer) -> None:
    server.faults = [None, *[None, None, Fault(500)] * TRIES]
    with pytest.raises(ForgeError, match="500"):
        put(forge, "x")
    assert (own(server), server.faults) == ([], [])


def test_tokens_that_may_only_read(forge: Forge, server: ForgeServer) -> None:
    server.is_read_only = True
    with pytest.raises(ForgeError, match="may only read"):
        put(forge, "x")
    assert own(server) == []
