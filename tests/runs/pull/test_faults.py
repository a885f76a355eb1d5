"""Whole studies while the database crashes, or the network is cut: the same trials, bit for bit."""

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ledger.postgres import PostgresServer
from tests.runs.pull.conftest import Start, configure, leased, trials
from tests.runs.pull.partition import Partition, is_allowed

from tunesmith.runs.pull.puller import LEASE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
N_FITS = 15


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that may crash."""
    folder = Path(tempfile.mkdtemp(prefix="tunesmith-pg-"))
    try:
        made = PostgresServer(folder)
        try:
            made.start()
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_the_database_crashes_and_comes_back(
    project: Path,
    own_server: PostgresServer,
    expected: list[object],
    start: Start,
    tmp_path: Path,
) -> None:
    configure(project, own_server.url)
    log, gate = tmp_path / "fits", tmp_path / "gate"
    gate.touch()
    run = start("run", "-q")
    worker = start("worker", "--workers", "1", FITS_LOG=str(log), FITS_GATE=str(gate))
    worker.until(lambda: log.exists() and leased(own_server.url))
    # The fit ends while nobody can be told of it.
    own_server.crash()
    gate.unlink()
    time.sleep(2)
    own_server.start()
    # Whether the run has met the gap is a matter of chance: if it has, it is run again.
    if run.ends() == 74:
        run = start("run", "-q")
    assert run.ends() == 0, run.said + worker.said
    assert trials(own_server.url) == expected
    # The answer was kept on the worker: no fit was made again.
    assert log.read_text().count("\n") == N_FITS
    assert worker.process.poll() is None, worker.said


@pytest.mark.skipif(not is_allowed(), reason="no network namespaces for users of this machine")
@pytest.mark.parametrize("cut_s", [4.0, LEASE_S + 2])
def test_a_worker_is_cut_off_and_comes_back(
    project: Path,
    own_server: PostgresServer,
    expected: list[object],
    start: Start,
    tmp_path: Path,
    cut_s: float,
) -> None:
    configure(project, own_server.url)
    log, gate = tmp_path / "fits", tmp_path / "gate"
    gate.touch()
    network = Partition(own_server.folder)
    try:
        run = start("run", "-q")
        far = start(
            *("worker", "--workers", "1", "--insecure", "--ledger", network.url("postgres")),
            prefix=network.prefix,
            FITS_LOG=str(log),
            FITS_GATE=str(gate),
        )
        far.until(lambda: log.exists() and leased(own_server.url))
        (name,) = leased(own_server.url)
        network.tell("cut")
        near = start("worker", "--workers", "1", FITS_LOG=str(log))
        if cut_s > LEASE_S:
            # Its fit has gone to the other one, which needs no more of it.
            assert run.ends() == 0, run.said + near.said
        else:
            time.sleep(cut_s)
            assert name in leased(own_server.url)
        gate.unlink()
        network.tell("heal")
        assert run.ends() == 0, run.said + near.said + far.said
        assert trials(own_server.url) == expected
        # Only what it had in hand for too long was made again.
        assert log.read_text().count("\n") == N_FITS + (cut_s > LEASE_S)
        # It notices the return of the network, and leaves in good order.
        far.process.send_signal(signal.SIGTERM)
        assert far.ends() == 143, far.said
    finally:
        network.close()
