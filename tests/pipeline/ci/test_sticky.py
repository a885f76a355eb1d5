"""One comment, whatever happens on the way; on servers that behave like the forges."""

from collections.abc import Iterator

import pytest
from tests.pipeline.forge.servers import Fault, ForgeServer, GitHubServer, GitLabServer, served

from tunesmith.pipeline.ci.sticky import TRIES, mark, put_comment
from tunesmith.pipeline.forge.api import ForgeError
from tunesmith.pipeline.forge.forge import Forge, forge_here

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


def test_of_several_the_newest_is_rewritten(forge: Forge, server: ForgeServer) -> None:
    server.add_note(1, f"{MARK}\r\nold", server.me)
    server.add_note(1, f"{MARK}\r\nnew", server.me)
    assert put(forge, "x") == "updated"
    assert own(server) == [f"{MARK}\r\nold", f"{MARK}\nx"]


def test_comments_of_people_are_let_alone(forge: Forge, server: ForgeServer) -> None:
    server.add_note(1, f"{MARK}\nmine", "ann")
    server.add_note(1, f"quoted:\n{MARK}", server.me)
    server.add_note(1, f"{MARK}\nanother program's", "other[bot]")
    assert put(forge, "x") == "created"
    assert server.bodies(1)[-1] == f"{MARK}\nx"


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
