"""The order in which tests run."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from tests.durations import LONG_S, function, known
from tests.order import slow_first


@dataclass(frozen=True)
class Item:
    path: Path
    number: int
    is_slow: bool

    @property
    def nodeid(self) -> str:
        return f"{self.path}::test_{self.number // 2}[{self.number % 2}]"

    def get_closest_marker(self, name: str) -> str | None:
        return name if self.is_slow and name == "slow" else None


def items(*files: str) -> list[pytest.Item]:
    """``aB`` is a file with a quick and a slow test."""
    made = [
        Item(Path(str(place)), number, letter.isupper())
        for place, letters in enumerate(files)
        for number, letter in enumerate(letters)
    ]
    return cast("list[pytest.Item]", made)


def is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


@pytest.mark.parametrize("n_workers", [1, 2, 3, 8])
def test_every_worker_begins_with_slow_tests_and_none_is_left_out(n_workers: int) -> None:
    given = items("aaBaaa", "AA", "aaaaaaa", "BBB", "aaaa", "bbbbb", "Ab")
    ordered = slow_first(given, n_workers, {})
    assert sorted(map(repr, ordered)) == sorted(map(repr, given))
    n_shares = min(n_workers, 4)  # there are four files with slow tests
    for number in range(n_shares if n_workers < 8 else 0):
        assert is_slow(ordered[len(given) * number // n_workers])


def test_tests_of_a_file_stay_in_order() -> None:
    given = items("aBcD", "ef")
    ordered = slow_first(given, 1, {})
    assert ordered == [given[1], given[3], given[0], given[2], *given[4:]]
    assert slow_first([], 2, {}) == []


def test_what_took_longest_comes_first() -> None:
    given = items("A", "BB", "C", "dd")
    seconds = {"0::test_0": 1.0, "1::test_0": 7.0, "2::test_0": 3.0}
    assert slow_first(given, 1, seconds) == [*given[1:3], given[3], given[0], *given[4:]]
    # The second worker has the two that are shorter, from the middle of the list on.
    assert slow_first(given, 2, seconds) == [*given[1:3], given[4], given[3], given[0], given[5]]


def test_a_function_is_long_by_the_sum_of_its_cases() -> None:
    noted = known()
    assert noted
    assert min(noted.values()) >= LONG_S
    assert not any("[" in name for name in noted)
    assert function("tests/a.py::TestB::test_c[1-x]") == "tests/a.py::TestB::test_c"
