"""Closed, full and narrow streams, as shells hand them over."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import environment

from tunesmith.cli.common.streams import is_utf8, prepare, say, show
from tunesmith.errors import StorageError


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def narrow(encoding: str) -> io.TextIOWrapper:
    return Terminal(io.BytesIO(), encoding=encoding, write_through=True)


def written(stream: io.TextIOWrapper) -> str:
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode(stream.encoding)


@pytest.mark.parametrize(
    ("encoding", "text", "found"),
    [
        ("ascii", "0.9 ± 0.1 · 2 × 3", "0.9 +/- 0.1 - 2 x 3"),
        ("ascii", "größe", "gr\\xf6\\xdfe"),
        ("latin-1", "größe – 💥", "größe - \\U0001f4a5"),
        ("utf-8", "größe ± 💥", "größe ± 💥"),
        ("utf-8", "half \ud800", "half \\ud800"),
    ],
)
def test_what_a_terminal_lacks_is_spelled(
    monkeypatch: pytest.MonkeyPatch, encoding: str, text: str, found: str
) -> None:
    stream = narrow(encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    prepare()
    show(text)
    assert written(stream) == found + "\n"
    assert is_utf8() == (encoding == "utf-8")


def test_a_file_is_utf8_whatever_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    prepare()
    show("größe ±")
    assert written(stream) == "größe ±\n"


def test_a_closed_stderr_is_not_replaced_by_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    out = narrow("utf-8")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", None)
    prepare()
    say("progress")
    print("progress", file=sys.stderr)
    assert written(out) == ""
    sys.stderr.close()


class Full(io.TextIOWrapper):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")

    def fileno(self) -> int:
        with Path("/dev/null").open() as file:
            return file.fileno()


def test_a_full_disk_is_a_storage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Full(io.BytesIO()))
    monkeypatch.setattr("tunesmith.cli.common.streams._discard_stdout", lambda: None)
    with pytest.raises(StorageError, match="cannot write the result: No space left on device"):
        show("result")


def test_what_nobody_hears_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Full(io.BytesIO()))
    say("progress")


def shell(project: Path, command: str) -> "subprocess.CompletedProcess[str]":
    tunesmith = f"{sys.executable} -m tunesmith"
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command.replace('tunesmith', tunesmith, 1)}"],
        cwd=project, capture_output=True, text=True, env=environment(),
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("tunesmith run --workers 1 2>&1 | true", 0),
        ("tunesmith schema | true", 0),
        ("tunesmith run --workers 1 2>&-", 0),
        ("tunesmith check > /dev/full", 74),
    ],
)
def test_shells(project: Path, command: str, code: int) -> None:
    done = shell(project, command)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    if " run " in command:
        assert (project / "config/best_parameters.yaml").is_file()
