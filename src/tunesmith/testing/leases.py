"""The contract of stores of leases: subclass ``LeaseStoreContract``; override its first methods."""

from collections.abc import Sequence
from typing import Any

import pytest

from tunesmith.ledger.leases.seam import (
    MOST_LOST,
    AnswerKind,
    Lease,
    LeaseStore,
    Offer,
    SeatLostError,
    SeatTakenError,
    Standing,
)

STUDY, TTL_S = "study", 30.0


def offers(*names: str) -> list[Offer]:
    """Tasks with these addresses, in this order."""
    return [Offer(name, number, f"content of {name}") for number, name in enumerate(names)]


class LeaseStoreContract:
    """Rules that every store of leases keeps."""

    @pytest.fixture
    def store(self) -> LeaseStore:
        """Return an empty store."""
        raise NotImplementedError

    def pass_s(self, store: LeaseStore, seconds: float) -> None:
        """Let time pass by the database's clock."""
        raise NotImplementedError

    def sit(self, store: LeaseStore, holder: str = "a@here", attempt: int = 1, **more: Any) -> int:
        """Take the seat."""
        given: dict[str, Any] = {"run_id": 1, "wanted": {"code": "1"}, "ttl_s": TTL_S, **more}
        return store.sit(STUDY, holder, attempt, **given)

    def take(
        self, store: LeaseStore, epoch: int, worker: str = "w1", most: int = 1, **more: Any
    ) -> list[Lease]:
        """Take tasks."""
        given: dict[str, Any] = {"is_idle": True, "ttl_s": TTL_S, **more}
        return store.take(STUDY, epoch, worker, most=most, **given)

    # -- the seat ----------------------------------------------------------------------------

    def test_there_is_no_session_before_the_first_run(self, store: LeaseStore) -> None:
        assert store.session(STUDY) is None

    def test_workers_see_what_the_run_wants(self, store: LeaseStore) -> None:
        epoch = self.sit(store, wanted={"code": "2", "versions": {"numpy": "2.4"}})
        session = store.session(STUDY)
        assert session is not None
        assert (session.epoch, session.is_live) == (epoch, True)
        assert session.wanted == {"code": "2", "versions": {"numpy": "2.4"}}
        assert store.session("other") is None

    def test_one_run_has_the_seat_until_its_lease_ends(self, store: LeaseStore) -> None:
        epoch = self.sit(store)
        with pytest.raises(SeatTakenError, match="on here") as taken:
            self.sit(store, "b@there")
        assert 0 < taken.value.left_s <= TTL_S
        self.pass_s(store, TTL_S - 1)
        store.stay(STUDY, epoch, TTL_S)
        self.pass_s(store, 2)
        with pytest.raises(SeatTakenError):
            self.sit(store, "b@there")
        self.pass_s(store, TTL_S)
        assert self.sit(store, "b@there") > epoch

    def test_whoever_lost_the_seat_can_do_nothing(self, store: LeaseStore) -> None:
        old = self.sit(store)
        self.pass_s(store, TTL_S + 1)
        new = self.sit(store, "b@there")
        store.offer(STUDY, new, offers("x"))
        for act in (
            lambda: store.stay(STUDY, old, TTL_S),
            lambda: store.leave(STUDY, old),
            lambda: store.offer(STUDY, old, offers("y")),
            lambda: store.look(STUDY, old),
            lambda: store.record(STUDY, old, []),
            lambda: store.withdraw(STUDY, old, ["x"]),
            lambda: store.drop(STUDY, old, ["x"]),
            lambda: self.sit(store, attempt=2),
        ):
            with pytest.raises(SeatLostError, match="taken over study `study`"):
                act()
        assert self.take(store, old) == []
        assert len(self.take(store, new, most=5)) == 1

    def test_a_run_that_sits_again_keeps_its_tasks(self, store: LeaseStore) -> None:
        first = self.sit(store)
        store.offer(STUDY, first, offers("x", "y"))
        second = self.sit(store, attempt=2)
        assert second > first
        # What was sent before, and arrives now, does nothing.
        with pytest.raises(SeatLostError):
            store.offer(STUDY, first, offers("z"))
        assert self.sit(store, attempt=1) == second
        contents = [lease.content for lease in self.take(store, second, most=5)]
        assert contents == ["content of x", "content of y"]

    def test_a_seat_that_is_given_up_is_free(self, store: LeaseStore) -> None:
        epoch = self.sit(store)
        store.offer(STUDY, epoch, offers("x", "y", "z"))
        done, running = self.take(store, epoch, most=2)
        store.finish("w1", done, AnswerKind.RESULT, "r")
        store.leave(STUDY, epoch)
        session = store.session(STUDY)
        assert session is not None
        assert not session.is_live
        assert self.take(store, epoch) == []
        assert store.renew("w1", [running], TTL_S) == set()
        # What has ended is there for the next run.
        assert [end.address for end in store.look(STUDY, self.sit(store, "b@there")).ends] == ["x"]

    def test_studies_do_not_meet(self, store: LeaseStore) -> None:
        epoch = self.sit(store)
        other = store.sit("other", "b@there", 1, run_id=2, wanted={}, ttl_s=TTL_S)
        store.offer("other", other, offers("x"))
        assert self.take(store, epoch) == []
        assert store.look(STUDY, epoch) == Standing()

    # -- leases ------------------------------------------------------------------------------

    def test_tasks_are_taken_in_order_and_once(self, store: LeaseStore) -> None:
        epoch = self.sit(store)
        store.offer(STUDY, epoch, offers("x", "y", "z"))
        one, two = self.take(store, epoch, most=2), self.take(store, epoch, "w2", most=2)
        contents = [lease.content for lease in (*one, *two)]
        assert contents == ["content of x", "content of y", "content of z"]
        assert store.held("w1") == one
        assert store.look(STUDY, epoch).leased == {"x", "y", "z"}

    def test_what_is_offered_again_is_the_same_task(self, store: LeaseStore) -> None:
        epoch = self.sit(store)
        store.offer(STUDY, epoch, offers("x"))
        (lease,) = self.take(store, epoch)
        store.offer(STUDY, epoch, offers("x"))
        assert self.take(store, epoch, "w2") == []
        store.finish("w1", lease, AnswerKind.RESULT, "r")
        store.offer(STUDY, epoch, offers("x"))
        (end,) = store.look(STUDY, epoch).ends
        assert (end.address, end.kind, end.content, end.run_id) == ("x", "result", "r", 1)

    def test_a_lease_lapses_unless_it_is_renewed(self, store: LeaseStore) -> None:
        epoch = self.sit(store)
        store.offer(STUDY, epoch, offers("x", "y"))
        kept, lost = self.take(store, epoch, most=2)
        self.pass_s(store, TTL_S - 1)
        store.stay(STUDY, epoch, 10 * TTL_S)
        assert store.renew("w1", [kept], TTL_S) == {kept.task}
        self.pass_s(store, 2)
        assert store.look(STUDY, epoch).leased == {"x"}
        (again,) = self.take(store, epoch, "w2")
        assert (again.content, again.n_lost) == ("content of y", 1)
        assert store.renew("w1", [kept, lost], TTL_S) == {kept.task}

    def test_a_lapsed_lease_comes_back_if_nobody_has_the_task(self, store: LeaseStore) -> None:
        epoch, lease = self._lapsed(store)
        assert store.renew("w1", [lease], TTL_S) == {lease.task}
        assert store.look(STUDY, epoch).leased == {"x"}
        assert store.held("w1")[0].n_lost == 0

    def test_a_lease_that_was_given_back_does_not_come_back(self, store: LeaseStore) -> None:
        epoch = self.sit(store)
        store.offer(STUDY, epoch, offers("x"))
        (lease,) = self.take(store, epoch)
        store.give_back("w1", [lease])
        assert store.renew("w1", [lease], TTL_S) == set()
        (again,) = self.take(store, epoch, "w2")
        assert again.n_lost == 0
        # Too late: the lease is another worker's by now.
        store.give_back("w1", [lease])
        assert store.held("w2") == [again]

    def test_a_task_may_lose_so_many_leases(self, store: LeaseStore) -> None:
        epoch = self.sit(store, ttl_s=1000 * TTL_S)
        store.offer(STUDY, epoch, offers("x"))
        for n in range(MOST_LOST):
            (lease,) = self.take(store, epoch, f"w{n}")
            assert lease.n_lost == n
            self.pass_s(store, TTL_S + 1)
            standing = store.look(STUDY, epoch)
        (end,) = standing.ends
        assert (end.kind, end.content) == (AnswerKind.LOST, "3 workers were lost with it")
        assert store.renew("w2", [lease], TTL_S) == set()

    def test_a_suspect_runs_alone(self, store: LeaseStore) -> None:
        epoch, _ = self._lapsed(store)
        store.offer(STUDY, epoch, [*offers("x"), Offer("y", 1, "content of y")])
        assert self.take(store, epoch, "w2", most=2, is_idle=False) == []
        (suspect,) = self.take(store, epoch, "w2", most=2)
        assert suspect.is_suspect
        (other,) = self.take(store, epoch, "w3", most=2)
        assert not other.is_suspect

    def test_nothing_behind_a_suspect_is_taken_with_what_is_before_it(
        self, store: LeaseStore
    ) -> None:
        epoch, _ = self._lapsed(store)
        store.offer(STUDY, epoch, [Offer("a", -1, "a"), Offer("y", 1, "y")])
        taken = self.take(store, epoch, "w2", most=3)
        assert [lease.content for lease in taken] == ["a"]

    def _lapsed(self, store: LeaseStore) -> tuple[int, Lease]:
        """Make a task whose lease has lapsed."""
        epoch = self.sit(store, ttl_s=1000 * TTL_S)
        store.offer(STUDY, epoch, offers("x"))
        (lease,) = self.take(store, epoch)
        self.pass_s(store, TTL_S + 1)
        store.look(STUDY, epoch)
        return epoch, lease

    # -- ends --------------------------------------------------------------------------------

    def test_the_first_result_counts_whoever_gives_it(self, store: LeaseStore) -> None:
        epoch, old = self._lapsed(store)
        (new,) = self.take(store, epoch, "w2")
        store.finish("w1", old, AnswerKind.RESULT, "first")
        store.finish("w2", new, AnswerKind.RESULT, "second")
        assert self._ends(store, epoch) == [("x", "result", "first")]
        assert store.renew("w2", [new], TTL_S) == set()

    @pytest.mark.parametrize("kind", [AnswerKind.DIED, AnswerKind.TIMEOUT, AnswerKind.ERROR])
    def test_a_failure_counts_from_the_holder_alone(
        self, store: LeaseStore, kind: AnswerKind
    ) -> None:
        epoch, old = self._lapsed(store)
        (new,) = self.take(store, epoch, "w2")
        store.finish("w1", old, kind, "mine")
        assert self._ends(store, epoch) == []
        store.finish("w2", new, kind, "yours")
        assert self._ends(store, epoch) == [("x", kind.value, "yours")]

    def test_an_answer_that_is_sent_twice_counts_once(self, store: LeaseStore) -> None:
        epoch = self.sit(store)
        store.offer(STUDY, epoch, offers("x"))
        (lease,) = self.take(store, epoch)
        for text in ("r", "other"):
            store.finish("w1", lease, AnswerKind.RESULT, text)
        assert self._ends(store, epoch) == [("x", "result", "r")]
        store.drop(STUDY, epoch, ["x"])
        store.finish("w1", lease, AnswerKind.RESULT, "late")
        assert self._ends(store, epoch) == []

    def test_withdrawing_spares_what_has_ended_and_dropping_the_rest(
        self, store: LeaseStore
    ) -> None:
        epoch = self.sit(store)
        store.offer(STUDY, epoch, offers("x", "y", "z"))
        ended, running = self.take(store, epoch, most=2)
        store.finish("w1", ended, AnswerKind.RESULT, "r")
        store.drop(STUDY, epoch, ["y", "z"])
        assert store.renew("w1", [running], TTL_S) == {running.task}
        store.withdraw(STUDY, epoch, ["x", "y", "z"])
        assert store.renew("w1", [running], TTL_S) == set()
        assert self.take(store, epoch) == []
        assert self._ends(store, epoch) == [("x", "result", "r")]

    def test_another_run_goes_on_with_what_workers_have(self, store: LeaseStore) -> None:
        old = self.sit(store)
        store.offer(STUDY, old, offers("x", "y", "z"))
        ended, running = self.take(store, old, most=2)
        store.finish("w1", ended, AnswerKind.RESULT, "r")
        self.pass_s(store, TTL_S + 1)
        store.renew("w1", [running], TTL_S)
        new = self.sit(store, "b@there", run_id=2)
        # What nobody had begun is gone until it is offered again.
        assert self.take(store, new) == []
        store.offer(STUDY, new, offers("y"))
        assert self.take(store, new, "w2") == []
        store.finish("w1", running, AnswerKind.RESULT, "s")
        ends = {(end.address, end.run_id) for end in store.look(STUDY, new).ends}
        assert ends == {("x", 1), ("y", 2)}

    def test_texts_arrive_unchanged(self, store: LeaseStore) -> None:
        epoch = self.sit(store)
        content = 'ünï "\\u0000" ' + "x" * 100_000
        store.offer(STUDY, epoch, [Offer("x", 0, content)])
        (lease,) = self.take(store, epoch)
        assert lease.content == content
        store.finish("w1", lease, AnswerKind.RESULT, content)
        assert self._ends(store, epoch) == [("x", "result", content)]

    def test_waiting_ends(self, store: LeaseStore) -> None:
        self.sit(store)
        store.wait_for_ends(STUDY, 0.01)
        store.wait_for_tasks(STUDY, 0.01)

    def _ends(self, store: LeaseStore, epoch: int) -> Sequence[tuple[str, str, str]]:
        ends = store.look(STUDY, epoch).ends
        return [(end.address, end.kind.value, end.content) for end in ends]
