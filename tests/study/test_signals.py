import os
import signal

import pytest

from tunesmith.study.signals import SignalGate, StopRequested


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
