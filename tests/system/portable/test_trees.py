import os
import subprocess
import sys
import time

import psutil
import pytest

from tunesmith.system.portable.trees import Tree, descendants, marked, own_group

pytestmark = pytest.mark.slow
FAMILY = """
import subprocess, sys, time
kinds = ({}, {"start_new_session": True})
children = [subprocess.Popen(["sleep", "60"], **kind) for kind in kinds]
print(*(child.pid for child in children), flush=True)
time.sleep(60)
"""


def test_a_tree_is_seen_and_ended_with_those_that_left_the_group() -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", FAMILY],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TUNESMITH_TEST_FAMILY": "here"},
        **own_group(),
    )
    assert program.stdout is not None
    children = [int(number) for number in program.stdout.readline().split()]
    assert set(descendants(os.getpid())) >= {program.pid, *children}
    assert not {program.pid, *children} & set(descendants(os.getpid(), {program.pid}))
    assert set(marked("TUNESMITH_TEST_FAMILY", "here")) == {program.pid, *children}
    tree = Tree(program.pid)
    tree.look()
    # Orphans from now on, one of them in a session of its own.
    program.kill()
    program.wait()
    tree.end()
    program.stdout.close()
    end = time.monotonic() + 10
    while not all(map(_is_dead, children)) and time.monotonic() < end:
        time.sleep(0.05)
    assert all(_is_dead(child) for child in children)


def _is_dead(process: int) -> bool:
    try:
        return bool(psutil.Process(process).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
