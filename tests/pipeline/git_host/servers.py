"""REST APIs that behave like GitHub's and GitLab's, on a real server of this machine."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "a-token-of-this-test"  # noqa: S105
REPOSITORY = "ann/churn"
Reply = tuple[int, Any]
JSON = dict[str, Any]


@dataclass
class Pull:
    number: int
    source: str
    target: str
    title: str = ""
    body: str = ""
    is_open: bool = True
    repository: str = REPOSITORY
    author: str = "ann"


@dataclass
class Note:
    id: int
    number: int
    body: str
    author: str
    is_bot: bool = True
    is_system: bool = False


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    content: Any


@dataclass
class Fault:
    """What happens in place of an answer: a status and headers, or a dropped connection."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    content: Any = None
    is_dropped: bool = False
    is_done: bool = False
    """Whether what was asked for is done all the same."""


class ForgeServer:
    """What there is in one repository, and what has been asked."""

    me = "github-actions[bot]"
    tells_author = True

    def __init__(self) -> None:
        self.pulls: list[Pull] = []
        self.notes: list[Note] = []
        self.last_note = 100
        self.dispatched: list[JSON] = []
        self.absent = {"missing.yml"}
        """Workflows that cannot be started."""
        self.faults: list[Fault | None] = []
        """Of the next requests, one after the other; ``None`` lets one pass."""
        self.seen: list[Seen] = []
        self.is_read_only = False
        self.forbids_pulls = False
        self.keeps_notes = False
        self.page_size = 30
        self.rules: list[JSON] = []
        """Of the default branch."""
        self.url = ""

    # -- behind the API's back ---------------------------------------------------------------

    def add_pull(self, source: str, **more: Any) -> Pull:
        pull = Pull(len(self.pulls) + 1, source, more.pop("target", "main"), **more)
        self.pulls.append(pull)
        return pull

    def add_note(self, number: int, body: str, author: str = "ann", **more: Any) -> Note:
        more.setdefault("is_bot", author != "ann")
        self.last_note += 1
        note = Note(self.last_note, number, body, author, **more)
        self.notes.append(note)
        return note

    def bodies(self, number: int) -> list[str]:
        return [note.body for note in self.notes if note.number == number]

    def environ(self) -> dict[str, str]:
        """What a job of the Git host is told."""
        raise NotImplementedError

    # -- answers -----------------------------------------------------------------------------

    def knows(self, headers: dict[str, str]) -> bool:
        raise NotImplementedError

    def routes(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        raise NotImplementedError

    def answer(self, seen: Seen, query: dict[str, str]) -> Reply:
        if not self.knows(seen.headers):
            return 401, {"message": "Bad credentials"}
        if self.is_read_only and seen.method != "GET":
            return 403, {"message": "Resource not accessible by integration"}
        path = urlsplit(seen.path).path
        for method, pattern, reply in self.routes():
            match = re.fullmatch(pattern, path)
            if match and method == seen.method:
                return reply(*map(unquote, match.groups()), query, seen.content)
        return 404, {"message": "Not Found"}

    def find(self, number: str) -> Note | None:
        return next((n for n in self.notes if n.id == int(number)), None)

    def changed(self, note: Note | None, content: JSON) -> Reply:
        if note is None:
            return 404, {"message": "Not Found"}
        if note.author != self.me:
            return 403, {"message": "not yours"}
        note.body = content["body"]
        return 200, self.note(note)

    def removed(self, note: Note | None) -> Reply:
        if note is None:
            return 404, {"message": "Not Found"}
        if self.keeps_notes:
            return 403, {"message": "Forbidden"}
        self.notes.remove(note)
        return 204, None

    def note(self, note: Note) -> JSON:
        raise NotImplementedError

    def has_open(self, content: JSON, source: str, target: str) -> bool:
        wanted = content[source], content[target]
        return any((p.source, p.target) == wanted and p.is_open for p in self.pulls)


class GitHubServer(ForgeServer):
    tells_author = False

    def environ(self) -> dict[str, str]:
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": self.url,
            "GITHUB_SERVER_URL": "https://forge.example",
            "GITHUB_REF": "refs/heads/training/one",
            "GITHUB_REF_TYPE": "branch",
            "GITHUB_REF_NAME": "training/one",
            "GITHUB_RUN_ID": "7",
            "GITHUB_TOKEN": TOKEN,
        }

    def knows(self, headers: dict[str, str]) -> bool:
        return headers.get("authorization") == f"Bearer {TOKEN}"

    def routes(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        repo = f"/repos/{REPOSITORY}"
        return [
            ("GET", "/user", self._user),
            ("GET", f"{repo}/pulls", self._list),
            ("POST", f"{repo}/pulls", self._open),
            ("GET", rf"{repo}/issues/(\d+)/comments", self._comments),
            ("POST", rf"{repo}/issues/(\d+)/comments", self._comment),
            ("PATCH", rf"{repo}/issues/comments/(\d+)", self._change),
            ("DELETE", rf"{repo}/issues/comments/(\d+)", self._remove),
            ("GET", rf"{repo}/pulls/(\d+)", self._numbered),
            ("GET", rf"{repo}/rules/branches/([^/]+)", self._rules),
            ("POST", rf"{repo}/actions/workflows/([^/]+)/dispatches", self._dispatch),
        ]

    def _user(self, query: JSON, content: JSON) -> Reply:
        return 403, {"message": "Resource not accessible by integration"}

    def _list(self, query: JSON, content: JSON) -> Reply:
        owner, _, branch = query.get("head", "").partition(":")
        # As GitHub does it: forks of the same owner are among them.
        return 200, [
            self._pull(p)
            for p in reversed(self.pulls)
            if p.is_open and p.source == branch and p.repository.startswith(owner)
        ]

    def _open(self, query: JSON, content: JSON) -> Reply:
        if self.forbids_pulls:
            text = "GitHub Actions is not permitted to create or approve pull requests."
            return 403, {"message": text}
        if self.has_open(content, "head", "base"):
            text = f"A pull request already exists for ann:{content['head']}."
            return 422, {"message": "Validation Failed", "errors": [{"message": text}]}
        more = {"title": content["title"], "author": self.me}
        pull = self.add_pull(content["head"], target=content["base"], **more)
        pull.body = content["body"]
        return 201, self._pull(pull)

    def _pull(self, pull: Pull) -> JSON:
        return {
            "number": pull.number,
            "html_url": f"https://forge.example/{REPOSITORY}/pull/{pull.number}",
            "head": {
                "ref": pull.source,
                "repo": {"full_name": pull.repository} if pull.repository else None,
            },
            "base": {"ref": pull.target},
            "user": {"login": pull.author},
        }

    def _rules(self, branch: str, query: JSON, content: JSON) -> Reply:
        return 200, self.rules

    def _comments(self, number: str, query: JSON, content: JSON) -> Reply:
        return 200, [self.note(note) for note in self.notes if note.number == int(number)]

    def _comment(self, number: str, query: JSON, content: JSON) -> Reply:
        if len(content["body"]) > 65_536:
            return 422, {"message": "Body is too long"}
        return 201, self.note(self.add_note(int(number), content["body"], self.me))

    def _change(self, number: str, query: JSON, content: JSON) -> Reply:
        return self.changed(self.find(number), content)

    def _remove(self, number: str, query: JSON, content: JSON) -> Reply:
        return self.removed(self.find(number))

    def _numbered(self, number: str, query: JSON, content: JSON) -> Reply:
        found = [p for p in self.pulls if p.number == int(number)]
        return (200, self._pull(found[0])) if found else (404, {"message": "Not Found"})

    def _dispatch(self, workflow: str, query: JSON, content: JSON) -> Reply:
        if workflow in self.absent:
            return 404, {"message": "Not Found"}
        self.dispatched.append({"workflow": workflow, **content})
        return 204, None

    def note(self, note: Note) -> JSON:
        user = {"login": note.author, "type": "Bot" if note.is_bot else "User"}
        return {"id": note.id, "body": note.body, "user": user}


class GitLabServer(ForgeServer):
    me = "project_5_bot"

    def environ(self) -> dict[str, str]:
        return {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": self.url,
            "CI_PROJECT_ID": "5",
            "CI_PROJECT_URL": f"https://forge.example/{REPOSITORY}",
            "CI_SERVER_URL": "https://forge.example",
            "CI_COMMIT_BRANCH": "training/one",
            "CI_JOB_URL": f"https://forge.example/{REPOSITORY}/-/jobs/7",
            "TUNESMITH_TOKEN": TOKEN,
        }

    def knows(self, headers: dict[str, str]) -> bool:
        return headers.get("private-token") == TOKEN

    def routes(self) -> list[tuple[str, str, Callable[..., Reply]]]:
        project = "/projects/5"
        return [
            ("GET", "/user", lambda query, content: (200, {"username": self.me})),
            ("GET", f"{project}/merge_requests", self._list),
            ("POST", f"{project}/merge_requests", self._open),
            ("GET", rf"{project}/merge_requests/(\d+)/notes", self._comments),
            ("POST", rf"{project}/merge_requests/(\d+)/notes", self._comment),
            ("PUT", rf"{project}/merge_requests/\d+/notes/(\d+)", self._change),
            ("DELETE", rf"{project}/merge_requests/\d+/notes/(\d+)", self._remove),
            ("GET", rf"{project}/merge_requests/(\d+)", self._numbered),
            ("POST", f"{project}/pipeline", self._dispatch),
        ]

    def _list(self, query: JSON, content: JSON) -> Reply:
        wanted = query.get("source_branch")
        found = [p for p in reversed(self.pulls) if p.is_open and p.source == wanted]
        return 200, [self._pull(p) for p in found]

    def _open(self, query: JSON, content: JSON) -> Reply:
        if self.forbids_pulls:
            return 403, {"message": "403 Forbidden"}
        if self.has_open(content, "source_branch", "target_branch"):
            return 409, {"message": ["Another open merge request already exists"]}
        target = content["target_branch"]
        more = {"title": content["title"], "author": self.me}
        pull = self.add_pull(content["source_branch"], target=target, **more)
        pull.body = content["description"]
        return 201, self._pull(pull)

    def _pull(self, pull: Pull) -> JSON:
        return {
            "iid": pull.number,
            "web_url": f"https://forge.example/{REPOSITORY}/-/merge_requests/{pull.number}",
            "source_branch": pull.source,
            "target_branch": pull.target,
            "source_project_id": 5 if pull.repository == REPOSITORY else 6,
            "target_project_id": 5,
            "author": {"username": pull.author},
        }

    def _comments(self, number: str, query: JSON, content: JSON) -> Reply:
        found = [self.note(note) for note in self.notes if note.number == int(number)]
        return 200, found if query.get("sort") == "asc" else found[::-1]

    def _comment(self, number: str, query: JSON, content: JSON) -> Reply:
        return 201, self.note(self.add_note(int(number), content["body"], self.me))

    def _change(self, number: str, query: JSON, content: JSON) -> Reply:
        return self.changed(self.find(number), content)

    def _remove(self, number: str, query: JSON, content: JSON) -> Reply:
        return self.removed(self.find(number))

    def _numbered(self, number: str, query: JSON, content: JSON) -> Reply:
        found = [p for p in self.pulls if p.number == int(number)]
        return (200, self._pull(found[0])) if found else (404, {"message": "Not Found"})

    def _dispatch(self, query: JSON, content: JSON) -> Reply:
        inputs = {v["key"]: v["value"] for v in content["variables"]}
        workflow = inputs.pop("TUNESMITH_WORKFLOW")
        if workflow in self.absent:
            return 400, {"message": {"base": ["Reference not found"]}}
        self.dispatched.append({"workflow": workflow, "ref": content["ref"], "inputs": inputs})
        return 201, {"id": 1}

    def note(self, note: Note) -> JSON:
        author = {"username": note.author, "bot": note.is_bot}
        return {"id": note.id, "body": note.body, "author": author, "system": note.is_system}


class Listener(ThreadingHTTPServer):
    world: ForgeServer


class Handler(BaseHTTPRequestHandler):
    server: Listener

    def _reply(self) -> None:
        world = self.server.world
        length = int(self.headers.get("Content-Length", 0))
        content = json.loads(self.rfile.read(length)) if length else None
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, content)
        world.seen.append(seen)
        query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        fault = world.faults.pop(0) if world.faults else None
        if fault is None:
            status, found = world.answer(seen, query)
            self._send(status, *self._page(found, query))
            return
        if fault.is_done:
            world.answer(seen, query)
        if fault.is_dropped:
            self.close_connection = True
        else:
            self._send(fault.status, fault.content, fault.headers)

    def _page(self, content: Any, query: dict[str, str]) -> tuple[Any, dict[str, str]]:
        if not isinstance(content, list):
            return content, {}
        world = self.server.world
        page = int(query.get("page", 1))
        size = min(int(query.get("per_page", 30)), world.page_size)
        part = content[(page - 1) * size : page * size]
        path = urlsplit(self.path).path
        rest = "".join(f"&{k}={v}" for k, v in query.items() if k != "page")
        links = [f'<{world.url}{path}?page=1{rest}>; rel="first"']
        if page * size < len(content):
            links.append(f'<{world.url}{path}?page={page + 1}{rest}>; rel="next"')
        return part, {"Link": ", ".join(links)}

    def _send(self, status: int, content: Any, headers: dict[str, str]) -> None:
        data = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _reply  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def served(world: ForgeServer) -> Iterator[ForgeServer]:
    """The server on a port of the loopback address."""
    with Listener(("127.0.0.1", 0), Handler) as listener:
        listener.world = world
        world.url = f"http://127.0.0.1:{listener.server_port}"
        thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield world
        finally:
            listener.shutdown()
            thread.join()
