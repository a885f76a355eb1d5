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
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from tunesmith.errors import StorageError, UsageError
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.page.details import LogText
from tunesmith.reporting.page.serve import PageServer, version_of
from tunesmith.reporting.page.study import LivePage, PageActions
from tunesmith.runs.ongoing import RunState
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


def post(
    server: PageServer, path: str, content: object = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    origin = {"Origin": f"http://127.0.0.1:{server.server_port}"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {"Content-Type": "application/json", **origin, **named}
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    with closing(connection):
        connection.request("POST", path, json.dumps(content), given)
        answer = connection.getresponse()
        body = answer.read()
    return answer.status, json.loads(body) if body.startswith(b"{") else {}


@pytest.fixture
def acting(study: Study) -> Iterator[tuple[PageServer, list[object]]]:
    """A server of two studies, the first of which can be stopped and annotated."""
    done: list[object] = []

    def stop() -> str:
        if "stop" in done:
            raise UsageError("it was asked to stop already.")
        done.append("stop")
        return "The run was asked to stop."

    actions = PageActions(
        stop=stop,
        note=lambda number, text: done.append((number, text)),
        logs=lambda _record, number: [LogText("out", f"log of {number}\x1b[31m")],
    )
    pages = [
        LivePage(study.load, lambda: study.stamp, "example", actions),
        LivePage(not_run, lambda: None, "other"),
    ]
    with PageServer(pages) as made:
        thread = Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made, done
        made.shutdown()
        thread.join()


def not_run() -> StudyRecord:
    raise UsageError("study `other` has not been run yet.")


def test_the_page_itself_may_stop_a_run_once_and_write_notes(
    acting: tuple[PageServer, list[object]],
) -> None:
    server, done = acting
    base = f"/{server.token}/0"
    assert post(server, f"{base}/stop") == (200, {"said": "The run was asked to stop."})
    assert post(server, f"{base}/stop") == (409, {"problem": "it was asked to stop already."})
    status, details = post(server, f"{base}/trial/1/note", {"text": "odd"})
    assert (status, details["trial"]) == (200, 1)
    assert done == ["stop", (1, "odd")]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:1"},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Host": "attacker.example"},
    ],
)
def test_other_pages_change_nothing(
    acting: tuple[PageServer, list[object]], headers: dict[str, str]
) -> None:
    server, done = acting
    assert post(server, f"/{server.token}/0/stop", **headers)[0] == 403
    assert post(server, f"/{server.token}/0/trial/1/note", {"text": "x"}, **headers)[0] == 403
    assert done == []


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        ("/wrong/0/stop", None, 404),
        ("/{token}/", None, 404),
        ("/{token}/7/stop", None, 404),
        ("/{token}/1/stop", None, 404),
        ("/{token}/0/trial/-1/note", {"text": "x"}, 404),
        ("/{token}/0/trial/1/note", {"text": 3}, 409),
        ("/{token}/0/trial/1/note", ["x"], 409),
        ("/{token}/0/trial/1/note", {"text": "x" * 30_000}, 409),
    ],
)
def test_what_is_no_request_of_the_page_is_refused(
    acting: tuple[PageServer, list[object]], path: str, content: object, status: int
) -> None:
    server, done = acting
    assert post(server, path.format(token=server.token), content)[0] == status
    assert done == []


def test_without_actions_a_page_only_reads(server: PageServer) -> None:
    assert post(server, f"/{server.token}/0/stop")[0] == 404
    assert post(server, f"/{server.token}/0/trial/1/note", {"text": "x"})[0] == 404


def test_several_studies_are_listed_and_one_that_never_ran_waits(
    acting: tuple[PageServer, list[object]], study: Study
) -> None:
    server, _ = acting
    listed = json.loads(get(server, f"/{server.token}/studies.json")[2])["studies"]
    assert [each["study"] for each in listed] == ["example", "other"]
    waiting = json.loads(get(server, f"/{server.token}/1/data.json")[2])
    assert waiting["waiting"] == "study `other` has not been run yet."
    study.record = None
    listed = json.loads(get(server, f"/{server.token}/studies.json")[2])["studies"]
    assert listed[0]["study"] == "example"


def test_details_of_a_trial_have_its_logs_without_escapes(
    acting: tuple[PageServer, list[object]],
) -> None:
    server, _ = acting
    details = json.loads(get(server, f"/{server.token}/0/trial/2.json")[2])
    assert details["logs"] == [{"title": "out", "text": "log of 2"}]
    assert len(details["folds"]) == 3
    assert get(server, f"/{server.token}/0/trial/3.json")[0] == 404
    assert get(server, f"/{server.token}/1/trial/0.json")[0] == 404


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


@pytest.mark.slow
def test_a_live_page_has_all_studies_and_stops_a_run(
    browser: Any, study: Study, acting: tuple[PageServer, list[object]]
) -> None:
    server, done = acting
    running = RunState(is_running=True, n_completed=3, n_trials=9, elapsed_s=10.0, left_s=20.0)
    first = server.studies[0]
    first.actions = replace(first.actions, state=lambda _record: running)
    with closing(browser.new_page()) as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(server.url)
        assert "3 of 9 trials, for 10s, about 20s to go" in page.inner_text(".run")
        page.click(".stop")
        assert done == []
        page.click(".stop")
        page.wait_for_selector("text=The run was asked to stop.")
        assert done == ["stop"]
        page.click("tr[data-trial='1'] button")
        page.wait_for_selector("text=log of 1")
        page.fill("textarea", "odd")
        with page.expect_response(lambda answer: answer.url.endswith("note")):
            page.click("text=Add note")
        assert (1, "odd") in done
        page.keyboard.press("Escape")
        page.click(".studies button >> nth=1")
        page.wait_for_selector("text=study `other` has not been run yet.")
        page.reload()
        page.wait_for_selector("text=study `other` has not been run yet.")
        page.click(".studies button >> nth=0")
        page.wait_for_selector("text=3 of 3 trials.")
        assert complaints == []
