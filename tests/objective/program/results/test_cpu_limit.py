"""Code that takes too long is ended, and nothing is left of the limit."""

import re
import signal
import threading
import time

import pytest

from tunesmith.objective.program.results.cpu_limit import CpuLimitError, cpu_limit


def test_a_regular_expression_that_backtracks_is_ended() -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    with pytest.raises(CpuLimitError), cpu_limit(0.1):
        re.search(r"(a+)+$", "a" * 60 + "b")
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_waiting_costs_nothing_of_it() -> None:
    with cpu_limit(0.05):
        time.sleep(0.2)


def test_another_thread_has_no_limit() -> None:
    done = []

    def work() -> None:
        with cpu_limit(0.001):
            done.append(sum(range(1_000_000)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done
