"""The logic of a worker, beside a database in memory and a clock that stands still."""

from collections.abc import Callable

import pytest
from tests.runs.pull.simulation.database import MemoryLeases

from tunesmith.ledger.leases.seam import AnswerKind, Lease, PullSession, UnreachableError
from tunesmith.runs.pull.puller import LEASE_S, Leave, Puller
from tunesmith.testing.leases import STUDY, TTL_S, offers


class Store(MemoryLeases):
    """Waiting for tasks takes its time at once; the database may be away."""

    def __init__(self) -> None:
        self.now, self.is_away = 0.0, False
        super().__init__(lambda: self.now)

    def wait_for_tasks(self, study: str, timeout_s: float) -> None:
        self.now += timeout_s

    def session(self, study: str) -> PullSession | None:
        if self.is_away:
            raise UnreachableError("away")
        return super().session(study)

    def finish(self, worker: str, lease: Lease, kind: AnswerKind, content: str) -> None:
        if self.is_away:
            raise UnreachableError("away")
        super().finish(worker, lease, kind, content)


class Runner:
    """Answers each call at once, unless it is to be slow."""

    def __init__(self, store: Store) -> None:
        self.store, self.calls, self.stopped = store, dict[int, Lease](), list[int]()
        self.meanwhile: Callable[[], None] = lambda: None
        self.is_slow = False

    def start(self, lease: Lease) -> None:
        self.calls[lease.task] = lease

    def stop(self, task: int) -> None:
        self.stopped.append(task)
        del self.calls[task]

    def ended(self, timeout_s: float) -> list[tuple[int, AnswerKind, str]]:
        self.store.now += timeout_s
        self.meanwhile()
        if self.is_slow:
            return []
        done = [(task, AnswerKind.RESULT, lease.content) for task, lease in self.calls.items()]
        self.calls.clear()
        return done


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def runner(store: Store) -> Runner:
    return Runner(store)


def puller(store: Store, runner: Runner, **options: object) -> Puller:
    given: dict[str, object] = {"n_slots": 2, "admit": lambda _: None, "idle_s": 60.0, **options}
    clock = lambda: store.now  # noqa: E731

    def pause(seconds: float) -> None:
        store.now += seconds

    return Puller(store, runner, STUDY, "w", clock=clock, pause=pause, **given)  # type: ignore[arg-type]


def begun(store: Store, *names: str) -> int:
    epoch = store.sit(STUDY, "a@here", 1, run_id=1, wanted={"x": 1}, ttl_s=100 * TTL_S)
    store.offer(STUDY, epoch, offers(*names))
    return epoch


def ended(store: Store, epoch: int) -> list[str]:
    return sorted(end.address for end in store.look(STUDY, epoch).ends)


def test_it_makes_all_and_ends_if_there_is_no_more(store: Store, runner: Runner) -> None:
    epoch = begun(store, "x", "y", "z")
    made = puller(store, runner)
    assert made.serve() is Leave.IDLE
    assert made.n_ended == 3
    assert ended(store, epoch) == ["x", "y", "z"]


def test_it_ends_after_so_many(store: Store, runner: Runner) -> None:
    epoch = begun(store, "x", "y", "z")
    assert puller(store, runner, most_fits=1).serve() is Leave.MOST_FITS
    assert ended(store, epoch) == ["x"]


def test_a_run_is_compared_before_the_first_fit(store: Store, runner: Runner) -> None:
    begun(store, "x")
    wanted = []

    def admit(session: PullSession) -> None:
        wanted.append(session.wanted)
        raise ValueError("differs")

    with pytest.raises(ValueError, match="differs"):
        puller(store, runner, admit=admit).serve()
    assert wanted == [{"x": 1}]
    assert not runner.calls


def test_long_calls_keep_their_lease(store: Store, runner: Runner) -> None:
    epoch = begun(store, "x")
    runner.is_slow = True

    def look() -> None:
        assert store.look(STUDY, epoch).leased == {"x"}
        runner.is_slow = store.now < 5 * LEASE_S

    runner.meanwhile = look
    assert puller(store, runner).serve() is Leave.IDLE
    assert ended(store, epoch) == ["x"]


def test_a_cancelled_call_is_stopped(store: Store, runner: Runner) -> None:
    epoch = begun(store, "x")
    runner.is_slow = True
    runner.meanwhile = lambda: store.withdraw(STUDY, epoch, ["x"])
    assert puller(store, runner).serve() is Leave.IDLE
    assert len(runner.stopped) == 1


def test_answers_outlast_a_database_that_is_away(store: Store, runner: Runner) -> None:
    epoch = begun(store, "x")

    def fail() -> None:
        store.is_away = store.now < 3 * LEASE_S

    runner.meanwhile = fail
    made = puller(store, runner)
    original = made.pause

    def pause(seconds: float) -> None:
        original(seconds)
        fail()

    made.pause = pause
    assert made.serve() is Leave.IDLE
    assert ended(store, epoch) == ["x"]


def test_it_gives_up_a_database_that_stays_away(store: Store, runner: Runner) -> None:
    begun(store)
    store.is_away = True
    with pytest.raises(Exception, match="has not answered for 120 seconds: away"):
        puller(store, runner, patience_s=120.0, idle_s=None).serve()


def test_leaving_gives_back_what_is_running(store: Store, runner: Runner) -> None:
    epoch = begun(store, "x", "y", "z")
    runner.is_slow = True

    def end() -> None:
        raise KeyboardInterrupt

    runner.meanwhile = end
    made = puller(store, runner)
    with pytest.raises(KeyboardInterrupt):
        made.serve()
    made.leave()
    assert len(runner.stopped) == 2
    taken = store.take(STUDY, epoch, "other", most=5, is_idle=True, ttl_s=TTL_S)
    assert [lease.n_lost for lease in taken] == [0, 0, 0]


def test_a_worker_that_was_stopped_asks_what_it_still_has(store: Store, runner: Runner) -> None:
    epoch = begun(store, "x")
    take = store.take

    def slow(*arguments: object, **options: object) -> list[Lease]:
        leases = take(*arguments, **options)  # type: ignore[arg-type]
        if leases and not runner.calls and store.now < LEASE_S:
            # The process is stopped before it reads the answer, and its lease lapses meanwhile.
            store.now += 2 * LEASE_S
            store.look(STUDY, epoch)
            assert take(STUDY, epoch, "other", most=1, is_idle=True, ttl_s=100 * TTL_S)
        return leases

    store.take = slow  # type: ignore[method-assign]
    made = puller(store, runner)
    assert made.serve() is Leave.IDLE
    assert made.n_ended == 0
