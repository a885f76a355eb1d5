import pytest

from tunesmith.errors import ExitCode
from tunesmith.ledger.leases.seam import Lease, SeatLostError, SeatTakenError, takeable


@pytest.mark.parametrize(
    ("lost", "is_idle", "taken"),
    [
        ([0, 0, 0], False, [0, 1, 2]),
        ([0, 0, 1], True, [0, 1]),
        ([1, 0, 0], True, [0]),
        ([1, 0, 0], False, []),
        ([], True, []),
    ],
)
def test_suspects_are_taken_alone(lost: list[int], is_idle: bool, taken: list[int]) -> None:
    waiting = list(enumerate(lost))
    chosen = takeable(waiting, lambda task: task[1], is_idle=is_idle)
    assert [number for number, _ in chosen] == taken


def test_a_lease_after_a_lost_one_is_suspect() -> None:
    assert not Lease(1, 1, "").is_suspect
    assert Lease(1, 2, "", n_lost=1).is_suspect


def test_errors_say_what_to_do_and_end_like_locks() -> None:
    taken = SeatTakenError("churn", "node7, process 12", 21.4)
    assert str(taken).startswith(
        "study `churn` has a coordinator on node7, process 12, whose lease"
    )
    assert "ends in 21 s" in str(taken)
    assert taken.exit_code == SeatLostError("churn").exit_code == ExitCode.LOCKED
    assert "taken over study `churn`" in str(SeatLostError("churn"))
