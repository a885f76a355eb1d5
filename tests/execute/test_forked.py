"""A fork of this process begins like a program of its own, and ends like one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tunesmith.testing.projects import make_project

FORKS = """
import atexit, json, os, signal, sys, threading
from pathlib import Path
from tunesmith.execute import forked
from tunesmith.system import shadows

class Server:
    @staticmethod
    def start(arguments):
        if arguments == ["fails"]:
            raise RuntimeError("as a test wants")
        if arguments == ["leaves"]:
            sys.exit(3)
        found = {
            "open": [int(name) for name in os.listdir("/proc/self/fd")],
            "session": os.getsid(0) == os.getpid(),
            "handler": signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
            "ignored": signal.getsignal(signal.SIGHUP) is signal.SIG_IGN,
            "environ": dict(os.environ),
            "path": sys.path[0],
            "kept_out": shadows.FINDER.folders,
        }
        print(json.dumps(found))
        atexit.register(print, "at the end")
        threading.Thread(target=lambda: (__import__("time").sleep(0.1), print("thread"))).start()

sys.modules["tunesmith.execute.served"] = Server
sys.path.insert(0, os.getcwd())
shadows.keep_out([os.getcwd()])
signal.signal(signal.SIGTERM, lambda *_: None)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
others = [os.open(os.devnull, os.O_RDONLY) for _ in range(5)]
print("before", end="")
log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
try:
    process = forked.fork("served", sys.argv[2:], environ={"A": "1"}, log=log, kept=others[:1])
    code = process.wait()
    assert (process.poll(), process.wait()) == (code, code)
    print("", code, others[0])
finally:
    print("once")
"""


@pytest.fixture
def forked(tmp_path: Path) -> Any:
    def run(*arguments: str) -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-c", FORKS, str(tmp_path / "log"), *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout, (tmp_path / "log").read_text()

    return run


def test_it_has_nothing_of_its_parent(forked: Any, tmp_path: Path) -> None:
    said, log = forked()
    head, *rest = log.splitlines()
    found = json.loads(head)
    _, code, kept = said.splitlines()[0].split()
    assert (code, said.splitlines()[1:]) == ("0", ["once"])
    # The last one was open only while they were listed.
    assert sorted(found["open"])[:4] == [0, 1, 2, int(kept)]
    assert len(found["open"]) <= 5
    assert (found["session"], found["handler"], found["ignored"]) == (True, True, True)
    assert found["environ"] == {"A": "1"}
    assert (found["path"] == str(tmp_path), found["kept_out"]) == (False, [])
    assert rest == ["thread", "at the end"]


@pytest.mark.parametrize(("way", "code"), [("fails", "1"), ("leaves", "3")])
def test_nothing_returns_into_the_calls_of_its_parent(forked: Any, way: str, code: str) -> None:
    said, log = forked(way)
    assert said.split()[1] == code
    assert said.count("once") == 1
    assert ("as a test wants" in log) == (way == "fails")


PROGRAM = """\
study: small
objective:
  command: [sh, -c, "echo loss={x}"]
  metrics_pattern: "loss=(?P<loss>.*)"
  metric: {name: loss, direction: minimize}
space: {x: {float: [0.0, 1.0]}}
search: {method: random}
stop: {trials: 3}
execution: {workers: 2}
"""
TOLD = """
import os, subprocess, sys
from tunesmith.execute import fork_server
from tunesmith.execute.processes import ProcessExecutor

started = []
real = subprocess.Popen

class Popen(real):
    def __init__(self, command, *given, **more):
        started.append("fork_server_main" in str(command))
        super().__init__(command, *given, **more)

def told(self, item):
    print(any(started), type(self._starter._process).__name__)
    sys.stdout.flush()
    self.close()
    os._exit(0)

subprocess.Popen = Popen
ProcessExecutor.submit = told
sys.argv = ["tunesmith", "run", "-q"]
from tunesmith.__main__ import main
main()
"""


@pytest.mark.parametrize("kind", ["program", "estimator"])
def test_a_command_starts_no_other_interpreter(tmp_path: Path, kind: str) -> None:
    if kind == "program":
        make_project(tmp_path, text=PROGRAM)
    else:
        config = make_project(tmp_path, trials=3)
        config.write_text(config.read_text() + "execution: {executor: processes, workers: 2}\n")
    done = subprocess.run(
        [sys.executable, "-c", TOLD], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["False", "ForkedProcess"], done.stderr


def test_a_process_with_threads_is_not_forked(tmp_path: Path) -> None:
    thread = "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()"
    code = f"import threading, time\n{thread}\n{TOLD}"
    make_project(tmp_path, text=PROGRAM)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["True", "Popen"], done.stderr
