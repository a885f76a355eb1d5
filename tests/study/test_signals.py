import os
import signal
import threading
from collections.abc import Iterator

import pytest

from tunesmith.study.signals import SignalGate, StopRequested, time_budget


@pytest.fixture
def nohup() -> Iterator[None]:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


def test_a_signal_waits_for_the_gate() -> None:
    reached = []
    with SignalGate() as gate:
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("still working")
        with pytest.raises(StopRequested, match="SIGINT"), gate.waiting():
            reached.append("never")
    assert reached == ["still working"]


def test_a_signal_interrupts_a_wait() -> None:
    with SignalGate() as gate, pytest.raises(StopRequested) as caught, gate.waiting():
        os.kill(os.getpid(), signal.SIGTERM)
    assert caught.value.signum == signal.SIGTERM


def test_a_second_signal_is_let_in_anywhere() -> None:
    with SignalGate():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(StopRequested):
            os.kill(os.getpid(), signal.SIGINT)


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with SignalGate():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_lost_terminal_stops_a_run() -> None:
    with SignalGate() as gate, pytest.raises(StopRequested, match="SIGHUP"), gate.waiting():
        os.kill(os.getpid(), signal.SIGHUP)


@pytest.mark.usefixtures("nohup")
def test_a_lost_terminal_is_nothing_under_nohup() -> None:
    with SignalGate() as gate:
        with gate.waiting():
            os.kill(os.getpid(), signal.SIGHUP)
        with pytest.raises(StopRequested, match="SIGTERM"), gate.waiting():
            os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_in_another_thread_the_callers_handlers_stay() -> None:
    before, found = signal.getsignal(signal.SIGINT), []

    def enter() -> None:
        with SignalGate() as gate, gate.waiting():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [before]


def test_a_time_budget_asks_as_sigterm_does() -> None:
    with (
        SignalGate() as gate,
        time_budget(0.01) as is_spent,
        pytest.raises(StopRequested) as caught,
        gate.waiting(),
    ):
        threading.Event().wait(60)
    assert caught.value.signum == signal.SIGTERM
    assert is_spent()


def test_where_nobody_listens_it_ends_the_process_in_good_order() -> None:
    ended = []

    def work() -> None:
        try:
            threading.Event().wait(60)
        finally:
            ended.append("in good order")

    with pytest.raises(SystemExit) as caught, time_budget(0.01):
        work()
    assert (caught.value.code, ended) == (143, ["in good order"])


def test_a_time_budget_that_is_not_spent_leaves_no_trace() -> None:
    handler, timer = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)
    for budget_s in (3600.0, None):
        with time_budget(budget_s) as is_spent:
            assert not is_spent()
    assert signal.getsignal(signal.SIGALRM) == handler
    assert (signal.getitimer(signal.ITIMER_REAL)[0] > 0) == (timer[0] > 0)
