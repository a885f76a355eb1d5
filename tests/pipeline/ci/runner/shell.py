"""Runs the lines of jobs in a real shell; what calls `tunesmith` is answered by this process.

So a step costs no interpreter with all its imports. Everything else is as on a machine of the
Git host's: the environment, the folder, exit codes, both streams.
"""

import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from tunesmith.cli import main

TIMEOUT_S = 120
STUB = """\
#!{python} -SEI
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as s:
    s.connect({address!r})
    s.sendall(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode() + b"\\n")
    data = b""
    while part := s.recv(65536):
        data += part
code, out, err = json.loads(data)
sys.stdout.write(out)
sys.stdout.flush()
sys.stderr.write(err)
sys.exit(code)
"""
Answer = tuple[int, str, str]
Stand = Callable[[list[str], Path], Answer | None]
"""Answers in place of a command that would take long; ``None`` lets it run."""


@dataclass
class Shell:
    """A shell on whose path a `tunesmith` lies that asks this process."""

    folder: Path
    stand_in: Stand

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        address = str(self.folder / "s")
        stub = self.folder / "tunesmith"
        stub.write_text(STUB.format(python=sys.executable, address=address))
        stub.chmod(0o755)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(address)
        self.listener.listen(8)
        self.listener.settimeout(0.02)

    def close(self) -> None:
        self.listener.close()

    def run(self, lines: str, place: Path, environ: Mapping[str, str]) -> tuple[int, str]:
        """Exit code and what was printed, both streams together."""
        path = f"{self.folder}{os.pathsep}{environ.get('PATH', os.environ['PATH'])}"
        with subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", lines],
            cwd=place,
            env={**environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            while process.poll() is None:
                self._serve()
            assert process.stdout is not None
            return process.returncode, process.stdout.read()

    def _serve(self) -> None:
        try:
            caller, _ = self.listener.accept()
        except TimeoutError:
            return
        with caller:
            data = b""
            while not data.endswith(b"\n"):
                data += caller.recv(65536)
            arguments, place, environ = json.loads(data)
            answer = self.stand_in(arguments, Path(place)) or call(arguments, place, environ)
            caller.sendall(json.dumps(answer).encode())


def call(arguments: list[str], place: str | Path, environ: Mapping[str, str]) -> Answer:
    """The command line in this process, as if it were one of its own."""
    kept, argv = dict(os.environ), sys.argv
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        os.environ.clear()
        os.environ.update(environ)
        sys.argv = ["tunesmith", *arguments]
        with chdir(place), redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as error:
        code = int(error.code or 0)
    finally:
        os.environ.clear()
        os.environ.update(kept)
        sys.argv = argv
    return code, out.getvalue(), err.getvalue()
