"""Results go back to the branch, through real Git, while others push; and nothing else does."""

import os
import subprocess
import threading
from base64 import b64decode
from collections.abc import Iterator, Mapping
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.repositories import copy, new_place

from tunesmith.errors import UsageError
from tunesmith.pipeline.ci.backoff import pauses
from tunesmith.pipeline.ci.checkout import Checkout, git_variables
from tunesmith.pipeline.git_host.github import BOT, GitHub
from tunesmith.pipeline.git_host.gitlab import GitLab
from tunesmith.pipeline.git_host.host import Login
from tunesmith.system.git import GitError

BEST, REPORT = "config/best.yaml", "outputs/report.md"
ACTIONS = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "ann/churn",
    "GITHUB_REF_NAME": "tuning/one",
}
TOKEN = "a-token-for-git-alone"  # noqa: S105


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / {"best": BEST, "report": REPORT}.get(name, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [n for n in os.environ if n.startswith(("GIT_", "GITHUB_", "GITLAB_", "CI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """With one commit on ``tuning/one``, made by a person."""
    copy(_made(), tmp_path, "person")
    return tmp_path / "remote.git"


@cache
def _made() -> Path:
    folder = new_place()
    remote, person = folder / "remote.git", folder / "person"
    git(folder, "init", "-q", "--bare", "-b", "main", str(remote))
    git(folder, "clone", "-q", str(remote), str(person))
    git(person, "config", "user.name", "Ann")
    git(person, "config", "user.email", "ann@example.org")
    git(person, "switch", "-q", "-c", "tuning/one")
    write(person, best="a: 1\n", code="1\n", **{".gitignore": "*.log\nsecret/\n"})
    push(person, "first")
    return folder


def push(person: Path, message: str) -> str:
    git(person, "add", "-A")
    git(person, "commit", "-q", "-m", message)
    git(person, "push", "-q", "origin", "HEAD")
    return git(person, "rev-parse", "HEAD")


@pytest.fixture
def person(remote: Path, tmp_path: Path) -> Path:
    return tmp_path / "person"


@pytest.fixture
def root(remote: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "-q", "--branch", "tuning/one", str(remote), str(tmp_path / "job"))
    return tmp_path / "job"


@pytest.fixture
def git_host() -> GitHub:
    return GitHub(ACTIONS)


@pytest.fixture
def checkout(root: Path, git_host: GitHub) -> Checkout:
    return Checkout.in_ci(root, git_host)


def test_results_alone_are_committed(
    checkout: Checkout, root: Path, remote: Path, git_host: GitHub
) -> None:
    write(root, best="a: 2\n", report="# R\n", code="2\n", other="x", **{"a.log": "x"})
    git(root, "add", "other")
    paths = [BEST, REPORT, REPORT, "a.log", "missing.json", "outputs"]
    done = checkout.commit_and_push(paths, "tune: x", git_host)
    assert (done.branch, done.files) == ("tuning/one", (BEST, REPORT))
    assert git(remote, "rev-parse", "tuning/one") == done.commit == git(root, "rev-parse", "HEAD")
    assert git(root, "show", "-s", "--format=%an <%ae>%n%cn%n%B") == (
        f"{BOT[0]} <{BOT[1]}>\n{BOT[0]}\ntune: x"
    )
    # What was changed or staged beside them is as it was.
    assert git(root, "status", "--porcelain").splitlines() == ["M code", "A  other"]
    assert (root / "code").read_text() == "2\n"


def test_where_nothing_changed_nothing_is_committed(
    checkout: Checkout, root: Path, git_host: GitHub
) -> None:
    head = git(root, "rev-parse", "HEAD")
    write(root, code="2\n")
    assert checkout.commit_and_push([BEST, REPORT], "x", git_host).commit is None
    assert checkout.commit([BEST, "a.log"], "x", git_host).commit is None
    assert git(root, "rev-parse", "HEAD") == head


def test_without_push_the_remote_stays(checkout: Checkout, root: Path, remote: Path) -> None:
    git(root, "config", "user.name", "Bob")
    git(root, "config", "user.email", "bob@example.org")
    write(root, best="a: 2\n")
    done = checkout.commit([BEST], "x", None)
    assert git(root, "log", "-1", "--format=%an", "tuning/one") == "Bob"
    assert git(remote, "rev-parse", "tuning/one") != done.commit


def test_it_goes_on_top_of_what_others_pushed(
    checkout: Checkout, root: Path, remote: Path, person: Path, git_host: GitHub
) -> None:
    write(person, code="theirs\n", **{"new.py": "1\n"})
    theirs = push(person, "theirs")
    write(root, best="a: 2\n", report="# R\n")
    done = checkout.commit_and_push([BEST, REPORT], "tune: x", git_host)
    assert git(remote, "rev-parse", "tuning/one") == done.commit
    assert git(remote, "rev-parse", "tuning/one^") == theirs
    assert git(remote, "show", "tuning/one:code") == "theirs"
    assert done.files == (BEST, REPORT)
    # Asked again, it finds its own commit there.
    assert checkout.commit_and_push([BEST, REPORT], "tune: x", git_host).commit is None


def test_edits_of_others_are_not_overwritten(
    checkout: Checkout, root: Path, remote: Path, person: Path, git_host: GitHub
) -> None:
    write(person, best="a: 9\n")
    theirs = push(person, "by hand")
    write(root, best="a: 2\n")
    with pytest.raises(GitError, match=r"somebody has changed config/best\.yaml on `tuning/one`"):
        checkout.commit_and_push([BEST], "x", git_host)
    assert git(remote, "rev-parse", "tuning/one") == theirs


def test_a_refusal_is_told_in_the_remotes_own_words(
    checkout: Checkout, root: Path, remote: Path, git_host: GitHub
) -> None:
    hook = remote / "hooks/pre-receive"
    lines = (
        "error: GH006: Protected branch update failed.",
        "error: Changes go through pull requests.",
    )
    hook.write_text(f"#!/bin/sh\necho '{lines[0]}' >&2\necho '{lines[1]}' >&2\nexit 1\n")
    hook.chmod(0o755)
    write(root, best="a: 2\n")
    before, waits = git(root, "rev-parse", "HEAD"), list[float]()
    with pytest.raises(GitError, match="origin refused the push of `tuning/one`") as caught:
        checkout.commit_and_push([BEST], "x", git_host, sleep=waits.append)
    assert all(f"remote: {line}" in str(caught.value) for line in lines)
    assert "Nothing was pushed" in str(caught.value)
    assert waits == []
    assert git(root, "rev-parse", "HEAD") == before


def left_lock(remote: Path) -> None:
    """What a process that died on the server leaves."""
    (remote / "refs/heads/tuning").mkdir(parents=True, exist_ok=True)
    (remote / "refs/heads/tuning/one.lock").touch()


def words_of_a_race(remote: Path) -> None:
    hook = remote / "hooks/update"
    hook.write_text("#!/bin/sh\necho ' ! [rejected] a -> b (fetch first)' >&2\nexit 1\n")
    hook.chmod(0o755)


@pytest.mark.parametrize(("why", "n_tries"), [(left_lock, 3), (words_of_a_race, 1)])
def test_nobody_moved_the_branch_and_it_is_refused_all_the_same(
    checkout: Checkout,
    root: Path,
    remote: Path,
    git_host: GitHub,
    monkeypatch: pytest.MonkeyPatch,
    why: Any,
    n_tries: int,
) -> None:
    why(remote)
    monkeypatch.setattr("tunesmith.pipeline.ci.checkout.pauses", lambda: iter([0.0] * 3))
    write(root, best="a: 2\n")
    waits: list[float] = []
    with pytest.raises(GitError, match="origin refused the push") as caught:
        checkout.commit_and_push([BEST], "x", git_host, sleep=waits.append)
    assert "moved by others" not in str(caught.value)
    assert "\n  remote: " in str(caught.value)
    assert max(len(waits), 1) == n_tries


def test_somebody_who_pushes_all_the_time(
    checkout: Checkout, root: Path, remote: Path, person: Path, git_host: GitHub
) -> None:
    write(root, best="a: 2\n")
    waits: list[float] = []
    send = Checkout.push_commits
    with pytest.MonkeyPatch.context() as patch:

        def late(self: Checkout, *given: Any) -> None:
            write(person, code=f"late {len(waits)}\n")
            push(person, "late")
            send(self, *given)

        patch.setattr(Checkout, "push_commits", late)
        patch.setattr("tunesmith.pipeline.ci.checkout.pauses", lambda: pauses(1.0))
        with pytest.raises(GitError, match="moved by others during") as caught:
            checkout.commit_and_push([BEST], "x", git_host, sleep=waits.append)
    assert str(len(waits)) in str(caught.value)
    assert git(remote, "log", "--format=%s", "tuning/one").splitlines()[0] == "late"
    # Once they rest, it goes through.
    assert checkout.commit_and_push([BEST], "x", git_host).commit


def test_pauses_grow_to_about_a_minute() -> None:
    for _ in range(20):
        found = list(pauses())
        assert 55 < sum(found) < 75
        assert max(found[:3]) < 1 < max(found) <= 12


def test_a_detached_head_is_the_branch_of_the_job(
    root: Path, remote: Path, git_host: GitHub
) -> None:
    git(root, "checkout", "-q", "--detach", "HEAD")
    git(root, "branch", "-q", "-D", "tuning/one")
    write(root, best="a: 2\n")
    done = Checkout.in_ci(root, git_host).commit_and_push([BEST], "x", git_host)
    assert git(remote, "rev-parse", "tuning/one") == done.commit == git(root, "rev-parse", "HEAD")
    with pytest.raises(UsageError, match="HEAD is detached"):
        Checkout.in_ci(root, None).commit([BEST], "x", None)


def test_a_shallow_clone_will_do(tmp_path: Path, remote: Path, git_host: GitHub) -> None:
    shallow = tmp_path / "shallow"
    url = f"file://{remote}"
    git(tmp_path, "clone", "-q", "--depth", "1", "--branch", "tuning/one", url, str(shallow))
    write(shallow, best="a: 2\n")
    done = Checkout.in_ci(shallow, git_host).commit_and_push([BEST], "x", git_host)
    assert git(remote, "rev-parse", "tuning/one") == done.commit


def test_modes_are_kept_and_links_left_out(
    checkout: Checkout, root: Path, git_host: GitHub
) -> None:
    git(root, "update-index", "--chmod=+x", BEST)
    write(root, best="a: 2\n")
    checkout.commit([BEST], "x", git_host)
    (root / "outputs").mkdir()
    (root / REPORT).symlink_to("/etc/passwd")
    (root / BEST).write_text("a: 3\n")
    assert checkout.commit([REPORT, BEST], "x", git_host).files == (BEST,)
    assert git(root, "ls-tree", "HEAD", BEST).startswith("100644")


def test_hooks_of_the_project_do_not_run(checkout: Checkout, root: Path, git_host: GitHub) -> None:
    for name in ("pre-commit", "pre-push", "post-commit"):
        hook = root / ".git/hooks" / name
        hook.write_text("#!/bin/sh\ntouch ran\nexit 1\n")
        hook.chmod(0o755)
    write(root, best="a: 2\n")
    assert checkout.commit_and_push([BEST], "x", git_host).commit
    assert not (root / "ran").exists()


def test_gitlab_is_told_to_start_nothing(root: Path, remote: Path) -> None:
    environ = {
        "CI_API_V4_URL": "https://forge.example/api/v4",
        "CI_PROJECT_ID": "5",
        "CI_PROJECT_URL": "https://forge.example/ann/churn",
        "CI_COMMIT_BRANCH": "tuning/one",
        "GITLAB_USER_NAME": "Ann",
        "GITLAB_USER_EMAIL": "ann@example.org",
    }
    git(remote, "config", "receive.advertisePushOptions", "true")
    hook = remote / "hooks/pre-receive"
    hook.write_text('#!/bin/sh\necho "$GIT_PUSH_OPTION_0" > "$(dirname "$0")/option"\n')
    hook.chmod(0o755)
    git_host = GitLab(environ)
    write(root, best="a: 2\n")
    assert Checkout.in_ci(root, git_host).commit_and_push([BEST], "x", git_host).commit
    assert (remote / "hooks/option").read_text() == "ci.skip\n"
    assert git(remote, "log", "-1", "--format=%an", "tuning/one") == "Ann"


def test_pull_requests_are_no_branches(root: Path, remote: Path) -> None:
    pull = {"GITHUB_REF": "refs/pull/12/merge", "GITHUB_HEAD_REF": "tuning/one"}
    git_host = GitHub(ACTIONS | pull)
    before = git(remote, "rev-parse", "tuning/one")
    write(root, best="a: 2\n")
    checkout = Checkout.in_ci(root, git_host)
    for commit in (checkout.commit, checkout.commit_and_push):
        with pytest.raises(UsageError, match="runs for pull request 12, not for a branch"):
            commit([BEST], "x", git_host)
    assert git(remote, "rev-parse", "tuning/one") == before == git(root, "rev-parse", "HEAD")


# -- the token -----------------------------------------------------------------------------------


class GitHandler(BaseHTTPRequestHandler):
    """Git over HTTP, by Git's own program, for those who have the token."""

    folder: Path
    headers_seen: list[str]

    def _serve(self) -> None:
        authorization = self.headers.get_all("Authorization") or []
        self.headers_seen += authorization
        if len(authorization) != 1 or not _is_right(authorization[0]):
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        done = subprocess.run(
            ["git", "http-backend"],
            input=data,
            capture_output=True,
            env={
                **os.environ,
                "GIT_PROJECT_ROOT": str(self.folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REMOTE_USER": "bot",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(data)),
            },
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().splitlines()]
        status = next((value for name, value in lines if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in lines:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _serve  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def _is_right(authorization: str) -> bool:
    kind, _, secret = authorization.partition(" ")
    return kind == "Basic" and b64decode(secret).decode() == f"x-access-token:{TOKEN}"


@pytest.fixture
def http(remote: Path) -> Iterator[tuple[str, list[str]]]:
    """An address of the remote, and the logins that were seen there."""
    git(remote, "config", "http.receivepack", "true")
    seen: list[str] = []
    handler = type("Handler", (GitHandler,), {"folder": remote.parent, "headers_seen": seen})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{listener.server_port}", seen
        listener.shutdown()
        thread.join()


def _traced(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    monkeypatch.setenv("GIT_TRACE", str(folder / "trace"))
    return folder / "trace"


def _environ(server: str, **more: str) -> Mapping[str, str]:
    return {**ACTIONS, "GITHUB_SERVER_URL": server, "GITHUB_TOKEN": TOKEN, **more}


def test_the_token_is_in_no_argument_and_in_no_file(
    root: Path,
    remote: Path,
    http: tuple[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    server, seen = http
    git(root, "remote", "set-url", "origin", f"{server}/remote.git")
    # What `actions/checkout` leaves, unless it is told not to: a second header would be refused.
    old = f"http.{server}/.extraheader"
    git(root, "config", old, "AUTHORIZATION: basic b2xkOm9sZA==")
    trace = _traced(monkeypatch, tmp_path)
    git_host = GitHub(_environ(server))
    checkout = Checkout.in_ci(root, git_host)
    write(root, best="a: 2\n")
    done = checkout.commit_and_push([BEST], "x", git_host)
    assert git(remote, "rev-parse", "tuning/one") == done.commit
    assert len(set(seen)) == 1
    secret = seen[0].split()[1]
    assert not {TOKEN, secret} & {word for word in (TOKEN, secret) if word in trace.read_text()}
    held = [
        p for p in (root / ".git").rglob("*") if p.is_file() and secret.encode() in p.read_bytes()
    ]
    assert held == []
    assert TOKEN not in repr(checkout)
    assert secret not in repr(checkout)


def test_a_wrong_token_is_said_without_it(root: Path, http: tuple[str, list[str]]) -> None:
    server, _ = http
    git(root, "remote", "set-url", "origin", f"{server}/remote.git")
    git_host = GitHub(_environ(server, GITHUB_TOKEN="wrong-and-long-enough"))  # noqa: S106
    write(root, best="a: 2\n")
    with pytest.raises(GitError) as caught:
        Checkout.in_ci(root, git_host).commit_and_push([BEST], "x", git_host)
    assert "wrong-and-long-enough" not in str(caught.value)


def test_the_token_is_for_one_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    found = git_variables(Login("https://forge.example/git/", "x", TOKEN))
    assert found["GIT_CONFIG_COUNT"] == "3"
    assert found["GIT_CONFIG_KEY_1"] == "http.https://forge.example/git/.extraheader"
    assert found["GIT_CONFIG_VALUE_1"] == ""
