"""A preloaded program is like one that was started: what it is given, prints, and ends with."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.preloaded import programs

pytestmark = pytest.mark.skipif(not programs.is_possible(), reason="programs are started anew")

PROBE = """\
import json, os, sys, time
LOADED_BY = os.getpid()

def main():
    word = sys.argv[1]
    if word == "say":
        found = {"argv": sys.argv, "folder": os.getcwd(), "environ": dict(os.environ)}
        found |= {"path": sys.path, "stdin": sys.stdin.read(), "umask": os.umask(0)}
        found |= {"group": os.getpgid(0), "main": sys.modules["__main__"].__file__}
        json.dump(found, sys.stdout)
        print("aside", file=sys.stderr)
    elif word == "loaded":
        print(LOADED_BY == os.getpid())
    elif word == "raise":
        raise ValueError("on purpose")
    elif word == "sleep":
        print(os.getpid(), flush=True)
        time.sleep(60)
    elif word == "words":
        return "some words"
    elif word.isdigit():
        sys.exit(int(word))
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A program and its preloaded twin."""
    place = tmp_path_factory.mktemp("probe")
    (place / "bin").mkdir()
    (place / "preloaded").mkdir()
    (place / "bin/tsprobe.py").write_text(PROBE)
    script = place / "bin/probe"
    script.write_text(f"#!{sys.executable}\nimport sys\nfrom tsprobe import main\nsys.exit(main())")
    script.chmod(0o755)
    programs.serve(place / "preloaded", script, "tsprobe:main", [])
    return {"started": str(script), "preloaded": str(place / "preloaded/probe")}


def run(program: str, *words: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([program, *words], capture_output=True, text=True, **options)


def test_it_is_given_what_a_started_one_is(probe: dict[str, str], tmp_path: Path) -> None:
    environ = {**os.environ, "MARK": "x", "PYTHONPATH": str(tmp_path)}
    environ.pop("HOME", None)
    found = [
        run(probe[kind], "say", "a b", cwd=tmp_path, env=environ, input="line\n", umask=0o027)
        for kind in ("started", "preloaded")
    ]
    told = [json.loads(done.stdout) for done in found]
    assert told[0] == told[1]
    assert told[1]["umask"] == 0o027
    assert [done.stderr for done in found] == ["aside\n"] * 2
    assert run(probe["preloaded"], "loaded").stdout == "False\n"


@pytest.mark.parametrize("word", ["0", "3", "words", "raise"])
def test_it_ends_as_a_started_one_does(probe: dict[str, str], word: str) -> None:
    started, preloaded = (run(probe[kind], word) for kind in ("started", "preloaded"))
    assert started.returncode == preloaded.returncode
    assert started.stderr.splitlines()[-1:] == preloaded.stderr.splitlines()[-1:]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it(probe: dict[str, str], number: signal.Signals) -> None:
    with subprocess.Popen(
        [probe["preloaded"], "sleep"], stdout=subprocess.PIPE, text=True
    ) as caller:
        assert caller.stdout is not None
        child = psutil.Process(int(caller.stdout.readline()))
        caller.send_signal(number)
        assert caller.wait(30) == -number
        end = time.monotonic() + 30
        while child.is_running() and time.monotonic() < end:
            time.sleep(0.01)
        assert not child.is_running()


@pytest.mark.parametrize(
    "options",
    [{"env": {**os.environ, "OMP_NUM_THREADS": "7"}}, {"start_new_session": True}],
    ids=["variables that are read at the start", "a session of its own"],
)
def test_it_is_started_if_it_would_not_be_the_same(
    probe: dict[str, str], options: dict[str, Any]
) -> None:
    assert run(probe["preloaded"], "loaded", **options).stdout == "True\n"


@pytest.mark.parametrize(
    "words", [["place/script.py", "a"], ["-c", "import sys; print(sys.argv, __name__)"]]
)
def test_scripts_are_run_as_by_python(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "place").mkdir()
    (tmp_path / "place/beside.py").write_text("NAME = 'beside'")
    text = "import sys, pickle, beside\nclass A: pass\nprint(sys.argv, sys.path[0], __file__)\n"
    text += "print(pickle.loads(pickle.dumps(A)), beside.NAME, sys.modules['__main__'].A)\n"
    (tmp_path / "place/script.py").write_text(text)
    started, preloaded = (
        subprocess.run(
            ["python", *words],
            cwd=tmp_path,
            env={**os.environ, "PATH": programs.path(preloaded=is_so)},
            capture_output=True,
            text=True,
        )
        for is_so in (False, True)
    )
    assert started.returncode == 0, started.stderr
    assert (preloaded.stdout, preloaded.stderr) == (started.stdout, started.stderr)
