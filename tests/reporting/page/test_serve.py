"""The live page over a real socket."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from tunesmith.errors import StorageError
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.page.serve import LivePage, PageServer, version_of
from tunesmith.testing.figures import points
from tunesmith.testing.projects import make_project
from tunesmith.testing.records import make_record


class Study:
    """A study whose record can be replaced, and how often it was read."""

    def __init__(self) -> None:
        self.record: StudyRecord | None = make_record(points(3))
        self.stamp = 0
        self.n_read = 0

    def load(self) -> StudyRecord:
        self.n_read += 1
        if self.record is None:
            raise StorageError("gone")
        return self.record


@pytest.fixture
def study() -> Study:
    return Study()


@pytest.fixture
def server(study: Study) -> Iterator[PageServer]:
    with PageServer(LivePage(study.load, lambda: study.stamp)) as found:
        thread = Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def get(
    server: PageServer, path: str, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers=named)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_the_page_and_its_data_are_served(server: PageServer) -> None:
    status, headers, body = get(server, f"/{server.token}/")
    assert status == 200
    assert b'data-mode="live"' in body
    assert "connect-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Access-Control-Allow-Origin"] is None
    status, headers, body = get(server, f"/{server.token}/data.json")
    assert (status, json.loads(body)["study"]) == (200, "example")
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/", "/data.json", "/wrong/", "/{token}x/", "/{token}", "/{token}/../x", "//"]
)
def test_without_the_token_there_is_nothing(server: PageServer, path: str) -> None:
    assert get(server, path.format(token=server.token))[::2] == (404, b"Not Found\n")


def test_other_host_names_are_refused(server: PageServer) -> None:
    assert get(server, f"/{server.token}/", Host="attacker.example")[0] == 403
    assert get(server, f"/{server.token}/", Host=f"localhost:{server.server_port}")[0] == 200


def test_only_the_loopback_address_listens(server: PageServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    with socket.socket() as other:
        # Another loopback address is as foreign to the server as another machine.
        assert other.connect_ex(("127.0.0.2", server.server_port)) != 0


def test_other_methods_are_refused(server: PageServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("POST", f"/{server.token}/", body=b"x")
    assert connection.getresponse().status == 501
    connection.close()


def test_what_has_not_changed_is_neither_read_nor_sent_again(
    server: PageServer, study: Study
) -> None:
    path = f"/{server.token}/data.json"
    tag = get(server, path)[1]["ETag"]
    status, _, body = get(server, path, If_None_Match=tag)
    assert (status, body, study.n_read) == (304, b"", 1)
    study.record, study.stamp = make_record(points(5)), 1
    status, headers, body = get(server, path, If_None_Match=tag)
    assert (status, study.n_read) == (200, 2)
    assert headers["ETag"] != tag
    assert json.loads(body)["tiles"][1]["value"] == "5"


def test_a_ledger_that_cannot_be_read_is_no_end(server: PageServer, study: Study) -> None:
    record, study.record = study.record, None
    assert get(server, f"/{server.token}/data.json")[0] == 503
    study.record = record
    assert get(server, f"/{server.token}/data.json")[0] == 200


def test_the_stamp_follows_the_ledger_and_its_log(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    ledger.write_bytes(b"a")
    before = version_of(ledger)
    assert version_of(ledger) == before
    (tmp_path / "ledger.db-wal").write_bytes(b"b")
    assert version_of(ledger) != before
    assert version_of("postgresql://db/x") is None


@pytest.mark.slow
def test_the_command_prints_the_address_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    from tunesmith.runs.tune import tune

    config = make_project(tmp_path)
    tune(config)
    with subprocess.Popen(
        [sys.executable, "-m", "tunesmith", "serve"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        url = urlsplit(process.stdout.readline().strip())
        connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=20)
        connection.request("GET", f"{url.path}data.json")
        assert json.loads(connection.getresponse().read())["study"] == "small"
        connection.close()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in said


@pytest.mark.slow
def test_an_open_page_follows_the_study_and_keeps_what_was_chosen(
    browser: Any, server: PageServer, study: Study
) -> None:
    with closing(browser.new_page()) as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(server.url)
        page.fill("#filter", "depth>2")
        assert page.inner_text(".count") == "1 of 3 trials."
        # The first answer tells the page what it has already.
        page.wait_for_event("response", lambda answer: answer.url.endswith("data.json"))
        study.record, study.stamp = make_record(points(9)), 1
        page.wait_for_selector("text=7 of 9 trials.")
        assert page.input_value("#filter") == "depth>2"
        assert page.inner_text(".live") == "live"
        assert complaints == []


@pytest.mark.parametrize("error", [BrokenPipeError(), ConnectionResetError(), TimeoutError()])
def test_a_browser_that_leaves_is_no_error(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    def load() -> Any:
        raise AssertionError("nobody asks")

    with PageServer(LivePage(load, lambda: None)) as server:
        try:
            raise error
        except OSError:
            server.handle_error(None, ("127.0.0.1", 1))
    assert capsys.readouterr().err == ""
