import os
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.execute.supervisor import ORDER

pytestmark = pytest.mark.slow

WORKER = """
import os, subprocess, sys
from pathlib import Path
from tunesmith.execute.supervisor import supervise
supervise(int(sys.argv[1]), Path(sys.argv[2]), close=os.open("/dev/null", os.O_RDONLY))
exec(sys.argv[3])
"""


class Guarded:
    """A guard around a piece of code."""

    def __init__(self, code: str, folder: Path) -> None:
        read, self.lifeline = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(read), str(folder), code],
            pass_fds=[read],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        os.close(read)

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> int:
        with self.process:
            return self.process.wait(20)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("pass", 0),
        ("sys.exit(3)", 3),
        ("os._exit(200)", 200),
        ("os.kill(os.getpid(), 9)", -9),
        ("os.kill(os.getpid(), 11)", -11),
        ("os.kill(os.getpid(), 15)", -15),
    ],
)
def test_it_ends_as_its_worker_did(tmp_path: Path, code: str, status: int) -> None:
    guarded = Guarded(code, tmp_path)
    assert guarded.end() == status
    os.close(guarded.lifeline)


@pytest.mark.parametrize("is_told", [True, False])
def test_the_handed_over_data_goes_with_the_run_and_not_before(
    tmp_path: Path, is_told: bool
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    guarded = Guarded("print('up', flush=True); import time; time.sleep(60)", folder)
    assert guarded.line() == "up"
    if is_told:
        os.write(guarded.lifeline, ORDER)
        assert guarded.end() == -9
    os.close(guarded.lifeline)
    assert guarded.end() == -9
    assert folder.exists() is is_told


def test_it_reaps_the_orphans_that_it_adopts(tmp_path: Path) -> None:
    code = (
        "subprocess.run(['sh', '-c', 'for i in 1 2 3; do sleep 0 & done']); import time;"
        " time.sleep(2.5); print(subprocess.run(['ps', '-o', 'stat=', '--ppid',"
        " str(os.getppid())], capture_output=True, text=True).stdout.count('Z'))"
    )
    guarded = Guarded(code, tmp_path)
    assert guarded.line() == "0"
    assert guarded.end() == 0
    os.close(guarded.lifeline)
