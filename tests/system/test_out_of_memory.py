"""Whether a killed process is said to have been killed for want of memory: only if it was."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from tunesmith.system import out_of_memory
from tunesmith.system.out_of_memory import Kills, killed_words, kills

LIMIT = 64 << 20
CODE = """
import os, signal, subprocess, sys
from pathlib import Path
group, greedy = Path(sys.argv[1]), sys.argv[2] == "greedy"
(group / "cgroup.procs").write_text(str(os.getpid()))
from tunesmith.system.out_of_memory import killed_words, kills
before = kills()
code = "x = b'1' * (300 << 20)" if greedy else "import os; os.kill(os.getpid(), 9)"
done = subprocess.run([sys.executable, "-c", code])
assert done.returncode == -signal.SIGKILL, done
print(killed_words(before, kills()))
"""


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group with little memory, of version 1 or 2, where this user may make one."""
    v1 = out_of_memory.CGROUPS / "memory"
    base, limit = (v1, "memory.limit_in_bytes") if v1.is_dir() else (v1.parent, "memory.max")
    found = base / f"tunesmith-test-{os.getpid()}"
    try:
        found.mkdir()
        (found / limit).write_text(str(LIMIT))
    except OSError as error:
        with suppress(OSError):
            found.rmdir()
        pytest.skip(f"no control group can be made here: {error}")
    yield found
    end = monotonic() + 5
    while (found / "cgroup.procs").read_text() and monotonic() < end:
        sleep(0.02)
    found.rmdir()


WORDS = {
    "greedy": "killed by SIGKILL; the kernel's out-of-memory killer acted in this control group",
    "itself": "killed by SIGKILL; nothing here says by whom (it was not the kernel's",
}


def test_the_kernel_is_named_only_if_it_was_the_kernel(group: Path) -> None:
    # One after the other, for all share the machine's counter.
    for who, words in WORDS.items():
        done = subprocess.run(
            [sys.executable, "-c", CODE, str(group), who],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert words in done.stdout


def test_kills_elsewhere_on_the_machine_are_told_as_such() -> None:
    assert killed_words(Kills(0, 1), Kills(0, 2)).endswith("out-of-memory killer acted meanwhile")
    assert killed_words(Kills(None, None), Kills(None, None)).endswith("cannot be read)")


@pytest.mark.parametrize(
    ("own", "file", "content"),
    [
        ("0::/job.slice/run\n", "job.slice/run/memory.events", "low 0\noom 3\noom_kill 2\n"),
        ("0::/outside/of/the/container\n", "memory.events", "oom 3\noom_kill 2\n"),
        ("4:memory:/run\n0::/\n", "memory/run/memory.oom_control", "under_oom 0\noom_kill 2\n"),
        ("5:cpu,memory:/else\n", "memory/memory.oom_control", "under_oom 0\noom_kill 2\n"),
    ],
)
def test_the_counter_of_the_group_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str, file: str, content: str
) -> None:
    (tmp_path / "own").write_text(own)
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(content)
    monkeypatch.setattr(out_of_memory, "CGROUPS", tmp_path)
    monkeypatch.setattr(out_of_memory, "OWN_CGROUPS", tmp_path / "own")
    assert kills().in_group == 2


def test_without_counters_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CGROUPS", "OWN_CGROUPS", "MACHINE"):
        monkeypatch.setattr(out_of_memory, name, tmp_path / "none")
    assert kills() == Kills(None, None)
