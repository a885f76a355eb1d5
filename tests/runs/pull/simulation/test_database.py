"""The simulated database keeps the rules that the real one keeps."""

import pytest
from tests.runs.pull.simulation.database import MemoryLeases

from tunesmith.ledger.leases.seam import LeaseStore
from tunesmith.testing.leases import LeaseStoreContract


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Patient(MemoryLeases):
    """Waiting takes no time here."""

    def wait_for_ends(self, study: str, timeout_s: float) -> None:
        pass

    def wait_for_tasks(self, study: str, timeout_s: float) -> None:
        pass


class TestMemoryLeases(LeaseStoreContract):
    @pytest.fixture
    def store(self) -> LeaseStore:
        self.clock = Clock()
        return Patient(self.clock)

    def pass_s(self, store: LeaseStore, seconds: float) -> None:
        self.clock.now += seconds
