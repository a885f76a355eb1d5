"""The client on a real server that fails in every way; nothing waits in earnest."""

import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest
from tests.pipeline.git_host.servers import TOKEN, Fault, ForgeServer, GitHubServer, served

from tunesmith.pipeline.git_host.api import PAUSES_S, Api, GitHostError, next_page

PULLS = "repos/ann/churn/pulls"
COMMENTS = "repos/ann/churn/issues/1/comments"


@pytest.fixture
def server() -> Iterator[ForgeServer]:
    with served(GitHubServer()) as server:
        yield server


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def api(server: ForgeServer, waits: list[float]) -> Api:
    return Api(server.url, {"Authorization": f"Bearer {TOKEN}"}, waits.append)


def comment(api: Api) -> object:
    return api.send("POST", COMMENTS, {"body": "x"})


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_it_tries_again_with_longer_pauses(
    api: Api, server: ForgeServer, waits: list[float], status: int
) -> None:
    server.faults = [Fault(status), Fault(status), Fault(is_dropped=True)]
    assert api.get(PULLS) == []
    assert waits == [1, 2, 4]


def test_it_gives_up_and_says_what_was_said(
    api: Api, server: ForgeServer, waits: list[float]
) -> None:
    server.faults = [Fault(503, content={"message": f"down {TOKEN} \x1b[31m"})] * 9
    with pytest.raises(GitHostError, match=r"/pulls: 503 down \[redacted\]$") as caught:
        api.get(PULLS, page="1")
    assert caught.value.status == 503
    assert waits == list(PAUSES_S)


def test_other_refusals_are_not_repeated(api: Api, server: ForgeServer) -> None:
    server.faults = [Fault(422, content={"message": "Invalid", "errors": [{"message": "no"}, "2"]})]
    with pytest.raises(GitHostError, match="422 Invalid no 2"):
        comment(api)
    assert len(server.seen) == 1


def test_the_forge_says_how_long(api: Api, server: ForgeServer, waits: list[float]) -> None:
    server.faults = [
        Fault(429, {"Retry-After": "7"}),
        Fault(503, {"Retry-After": formatdate(time.time() + 30)}),
        Fault(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(time.time() + 20)[:10]}),
        Fault(403, content={"message": "You have exceeded a secondary rate limit."}),
    ]
    assert api.get(PULLS) == []
    assert [round(wait, -1) for wait in waits] == [10, 30, 20, 60]


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (403, {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}),
        (
            429,
            {
                "message": "You have exceeded a secondary rate limit and have been temporarily"
                " blocked from content creation. Please retry your request again later."
            },
        ),
        (403, {"message": "You have triggered an abuse detection mechanism. Please wait."}),
        (
            403,
            {
                "message": "Forbidden",
                "documentation_url": "https://docs.github.com/rest/overview/rate-limits#about-secondary-rate-limits",
            },
        ),
        (422, {"message": "Validation Failed", "errors": ["was submitted too quickly"]}),
        (403, {"message": "API rate limit exceeded for installation ID 1."}),
        (403, {"message": "You have exceeded the rate limit for this resource."}),
        (403, {"message": "This endpoint has been requested too many times. Try again later."}),
        (
            403,
            {"documentation_url": "https://docs.github.com/rest/rate-limits-for-the-rest-api"},
        ),
        (503, {"message": "Whoa there! You have triggered an abuse detection mechanism."}),
    ],
)
def test_secondary_limits_in_all_their_words(
    api: Api, server: ForgeServer, waits: list[float], status: int, content: object
) -> None:
    server.faults = [Fault(status, content=content)]
    comment(api)
    assert waits == [60]
    assert len(server.bodies(1)) == 1


def test_names_are_no_limits(api: Api, server: ForgeServer, waits: list[float]) -> None:
    said = "A pull request already exists for ann:training/abuse-by-rate-limit."
    server.faults = [Fault(422, content={"message": "Validation Failed", "errors": [said]})]
    with pytest.raises(GitHostError, match="already exists"):
        comment(api)
    assert waits == []


@pytest.mark.parametrize(("after", "wait"), [("2.5", 2.5), ("-3", 1), ("soon", 60), ("", 60)])
def test_odd_pauses(
    api: Api, server: ForgeServer, waits: list[float], after: str, wait: float
) -> None:
    server.faults = [Fault(429, {"Retry-After": after}, {"message": "secondary rate limit"})]
    comment(api)
    assert waits == [wait]


def test_it_does_not_wait_for_an_hour(api: Api, server: ForgeServer, waits: list[float]) -> None:
    server.faults = [Fault(429, {"Retry-After": "3600"})]
    with pytest.raises(GitHostError, match="429"):
        api.get(PULLS)
    assert waits == []


def test_what_may_have_been_done_is_not_sent_twice(api: Api, server: ForgeServer) -> None:
    for fault in (Fault(502, is_done=True), Fault(is_dropped=True, is_done=True)):
        server.faults = [fault]
        with pytest.raises(GitHostError) as caught:
            comment(api)
        assert caught.value.is_unclear
    assert len(server.bodies(1)) == 2


def test_what_was_surely_not_done_is(api: Api, server: ForgeServer, waits: list[float]) -> None:
    server.faults = [Fault(429), Fault(403, {"Retry-After": "3"})]
    comment(api)
    assert len(server.bodies(1)) == 1
    assert waits == [1, 3]


def test_nobody_there(waits: list[float]) -> None:
    with served(GitHubServer()) as server:
        url = server.url
    with pytest.raises(GitHostError, match=r"cannot be reached: .*refused") as caught:
        comment(Api(url, {}, waits.append))
    assert not caught.value.is_unclear
    assert len(waits) == len(PAUSES_S)


def test_the_token_goes_nowhere_else(api: Api, server: ForgeServer) -> None:
    with served(GitHubServer()) as other:
        server.faults = [Fault(302, {"Location": f"{other.url}/x"})]
        with pytest.raises(GitHostError, match="the token is for the first alone"):
            api.get(PULLS)
        server.faults = [Fault(200, {"Link": f'<{other.url}/x>; rel="next"'}, content=[])]
        with pytest.raises(GitHostError, match="the token is for the first alone"):
            list(api.pages(PULLS))
        server.faults = [Fault(307, {"Location": "file:///etc/passwd"})]
        with pytest.raises(GitHostError, match="alone"):
            comment(api)
    assert other.seen == []


def test_redirections_of_the_forge_are_followed(api: Api, server: ForgeServer) -> None:
    server.faults = [Fault(301, {"Location": f"/{PULLS}"})]
    assert api.get("repos/ann/old-name/pulls") == []
    server.faults = [Fault(307, {"Location": f"{server.url}/{COMMENTS}"})]
    api.send("POST", "repos/ann/old-name/issues/1/comments", {"body": "moved"})
    assert server.bodies(1) == ["moved"]
    server.faults = [Fault(302, {"Location": "/x"})] * 3
    with pytest.raises(GitHostError, match="one redirection leads to the next"):
        api.get(PULLS)


def test_proxies_see_nothing_in_clear_text(
    server: ForgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(GitHubServer()) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        api = Api(server.url, {"Authorization": f"Bearer {TOKEN}"})
        assert api.get(PULLS) == []
        assert proxy.seen == []
        # A proxy for https gets nothing but the wish for a tunnel.
        secure = Api("https://forge.invalid", {"Authorization": TOKEN}, lambda _: None)
        with pytest.raises(GitHostError, match="cannot be reached"):
            secure.get(PULLS)
        assert all(TOKEN not in str(seen) for seen in proxy.seen)


def test_odd_tokens_are_not_shown() -> None:
    with pytest.raises(GitHostError, match="was it copied whole") as caught:
        Api("https://forge.example", {"Authorization": "Bearer one\nTWO-OF-IT"})
    assert "TWO-OF-IT" not in str(caught.value)
    assert TOKEN not in repr(Api("https://forge.example", {"Authorization": TOKEN}))


@pytest.mark.parametrize("base", ["", "file:///etc", "api.github.com", "ftp://x"])
def test_only_addresses_of_the_web(base: str) -> None:
    with pytest.raises(GitHostError, match="is no address of an API"):
        Api(base, {})


def test_answers_that_are_none(api: Api, server: ForgeServer) -> None:
    server.faults = [Fault(200, content={"message": "hello"})]
    with pytest.raises(GitHostError, match="expected a list"):
        list(api.pages(PULLS))


def test_lists_without_end_have_one(api: Api, server: ForgeServer) -> None:
    server.faults = [Fault(200, {"Link": f'<{server.url}/{PULLS}>; rel="next"'}, [1])] * 200
    assert len(list(api.pages(PULLS))) == 100


def test_links() -> None:
    assert next_page("") is None
    assert (
        next_page('<https://a/?x=1,2>; rel="next", <https://b>; rel="last"') == "https://a/?x=1,2"
    )
