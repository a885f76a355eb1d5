import time
from collections.abc import Callable

from tunesmith.objective.program.following import FollowedProgram, Limits


class Clockwork(FollowedProgram):
    """A program that ends some seconds after it is asked to."""

    def __init__(self, obeys_s: float) -> None:
        self.obeys_s, self.asked = obeys_s, 0.0

    def _listen(self, timeout_s: float | None) -> None:
        time.sleep(min(timeout_s or 0.01, 0.01))
        self.has_ended = bool(self.asked) and time.monotonic() - self.asked >= self.obeys_s

    def _ask_to_end(self) -> None:
        self.asked = time.monotonic()

    def end(self) -> int:
        return 0

    def close(self) -> None:
        pass


def follow(
    obeys_s: float, limits: Limits, is_enough: Callable[[], bool] | None = None
) -> tuple[bool, tuple[bool, bool]]:
    with Clockwork(obeys_s) as program:
        told = program.within(limits, time.monotonic(), is_enough)
    return program.has_ended, told


def test_its_time_is_up_and_it_obeys() -> None:
    assert follow(0.0, Limits(time_s=0.02, grace_s=5.0)) == (True, (False, True))


def test_it_gets_no_more_than_its_grace() -> None:
    assert follow(60.0, Limits(time_s=0.02, grace_s=0.05)) == (False, (False, True))


def test_enough_was_said() -> None:
    assert follow(0.0, Limits(), lambda: True) == (True, (True, False))
