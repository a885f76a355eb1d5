"""The coordinator as an executor, and under the contract that all executors keep.

Workers are threads here, with the real logic, a real server and real processes for the calls.
"""

import base64
import pickle
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from tests.runs.pull.simulation.database import MemoryLeases

from tunesmith.errors import StorageError
from tunesmith.execute.executor import Executor
from tunesmith.execute.processes import ProcessExecutor
from tunesmith.ledger.dialect import address
from tunesmith.ledger.leases.postgresql import PostgresLeases
from tunesmith.ledger.leases.seam import AnswerKind, Evaluations, SeatTakenError
from tunesmith.ledger.ledger import Ledger
from tunesmith.runs.pull.coordinator import Coordinator, RefusedAnswerError, StudyPlace
from tunesmith.runs.pull.local import LocalRunner
from tunesmith.runs.pull.puller import Puller
from tunesmith.testing.executor import ExecutorContract


class PickleWire:
    """Any values, for tests alone: a real wire carries no pickles."""

    def content(self, item: Any) -> str:
        return base64.b85encode(pickle.dumps(item)).decode()

    def item(self, text: str) -> Any:
        return pickle.loads(base64.b85decode(text))

    def answer(self, _item: Any, result: Any) -> str:
        return self.content(result)

    def result(self, text: str, _content: str) -> Any:
        return self.item(text)

    def receive(self, text: str) -> None:
        if str(self.item(text)) == "refused":
            raise RefusedAnswerError("other files")

    def evaluations(self, _text: str, run_id: int) -> Evaluations:
        return Evaluations(run_id, ())

    def error(self, text: str) -> BaseException:
        name, _, message = text.partition(": ")
        kinds = {"ValueError": ValueError, "SystemExit": SystemExit}
        return kinds.get(name, RuntimeError)(message)


class WithWorker(Coordinator):
    """A coordinator with a worker in a thread of this process."""

    def __init__(self, url: str, function: Callable[[Any], Any], **options: Any) -> None:
        self._stores = [PostgresLeases(address(url), name) for name in ("run", "worker")]
        wire, n = PickleWire(), options.pop("n_workers")
        self._runner = LocalRunner(lambda: ProcessExecutor(function, n_workers=n, **options), wire)
        place = StudyPlace(study="s", run_id=1, wanted={}, name="here")
        self._worker: Any = None
        super().__init__(self._stores[0], wire, place, n_workers=n, say=lambda _: None)
        self._is_over = False
        admit: Callable[[Any], None] = lambda _session: None  # noqa: E731
        puller = Puller(
            self._stores[1], self._runner, "s", "w", n_slots=n, admit=admit, idle_s=0.01
        )
        self._worker = threading.Thread(target=self._work, args=(puller,))
        self._worker.start()

    def _work(self, puller: Puller) -> None:
        while not self._is_over:
            puller.serve()
        with suppress(StorageError):
            puller.leave()
        self._runner.close()

    def close(self) -> None:
        super().close()
        self._is_over = True
        self._worker.join(60)
        for store in self._stores:
            store.close()


def test_an_answer_that_does_not_count_is_not_recorded() -> None:
    store = MemoryLeases(lambda: 0.0)
    place = StudyPlace(study="s", run_id=2, wanted={}, name="here")
    wire = PickleWire()
    with Coordinator(store, wire, place, n_workers=1, say=lambda _: None) as coordinator:
        futures = [coordinator.submit(n) for n in range(2)]
        coordinator.completed(0.0)
        leases = store.take("s", 1, "w", most=2, is_idle=True, ttl_s=30.0)
        for lease, result in zip(leases, ("refused", "fine"), strict=True):
            store.finish("w", lease, AnswerKind.RESULT, wire.content(result))
        assert coordinator.completed(0.0) == futures
        with pytest.raises(RefusedAnswerError, match="other files"):
            futures[0].result()
        assert futures[1].result() == "fine"
        # It does not come again.
        assert not store.look("s", 1).ends


def test_a_run_waits_for_the_lease_of_one_that_was_killed() -> None:
    now, said = [0.0], list[str]()

    def pause(seconds: float) -> None:
        now[0] += seconds

    store = MemoryLeases(lambda: now[0])
    store.sit("s", "a@there", 1, run_id=1, wanted={}, ttl_s=20.0)
    place = StudyPlace(study="s", run_id=2, wanted={}, name="here")
    with Coordinator(store, PickleWire(), place, n_workers=1, say=said.append, pause=pause):
        session = store.session("s")
        assert session is not None
        assert session.epoch == 2
    assert said == [
        "waiting 20 s for the lease of another run of `s` on there, which may have been killed"
    ]
    # One that lives renews it meanwhile.
    store.sit("s", "b@there", 1, run_id=3, wanted={}, ttl_s=1000.0)
    with pytest.raises(SeatTakenError):
        Coordinator(store, PickleWire(), place, n_workers=1, say=said.append, pause=lambda _s: None)


@pytest.mark.slow
class TestCoordinator(ExecutorContract):
    @pytest.fixture(autouse=True)
    def _served(self, database: str) -> None:
        self.url = database
        with Ledger.open(database):
            pass

    def make(self, function: Callable[[Any], Any], **options: Any) -> Executor:
        return WithWorker(self.url, function, **options)

    def test_what_cannot_be_sent_is_said(self) -> None:
        pytest.skip("nothing is sent: workers build the function from their own checkout")
