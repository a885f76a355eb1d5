import os
import subprocess
from pathlib import Path

from tunesmith.system.child_processes import descendants, marked, send


def test_names_of_commands_do_not_confuse_it(tmp_path: Path) -> None:
    odd = tmp_path / "a) S 1 (b"
    odd.symlink_to("/bin/sleep")
    with subprocess.Popen([str(odd), "60"]) as child:
        assert child.pid in descendants(os.getpid())
        child.kill()
    assert child.pid not in descendants(os.getpid())


def test_processes_are_found_by_their_environment(tmp_path: Path) -> None:
    value = str(tmp_path)
    with subprocess.Popen(["sleep", "60"], env={**os.environ, "TS_MARK": value}) as child:
        assert marked("TS_MARK", value) == [child.pid]
        assert marked("TS_MARK", value[:-1]) == []
        send(9, [child.pid, 2**22 - 1])
    assert marked("TS_MARK", value) == []
