"""Short histories of the adversary; ``make torture-dask`` runs more of them."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[3]


# In 3, a scheduler is lost while a worker is asked in; in 2, a worker hangs.
@pytest.mark.parametrize("seed", [2, 3])
def test_every_call_ends_once_with_its_own_result(seed: int) -> None:
    # In a process of its own: Dask forgets to close sockets of schedulers that were killed, and
    # Python would tell the test of somebody else.
    done = subprocess.run(
        [sys.executable, "-m", "tests.execute.cluster.adversary", "1", str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=560,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    line = done.stdout.splitlines()[0]
    assert line.startswith(f"seed {seed}: fine")
    assert line.count("'") > 2, line
