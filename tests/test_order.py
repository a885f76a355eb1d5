"""The order in which tests run."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from tests.order import slow_first


@dataclass(frozen=True)
class Item:
    path: Path
    number: int
    is_slow: bool

    def get_closest_marker(self, name: str) -> str | None:
        return name if self.is_slow else None


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
    ordered = slow_first(given, n_workers)
    assert sorted(map(repr, ordered)) == sorted(map(repr, given))
    n_shares = min(n_workers, 4)  # there are four files with slow tests
    for number in range(n_shares if n_workers < 8 else 0):
        assert is_slow(ordered[len(given) * number // n_workers])


def test_tests_of_a_file_stay_in_order() -> None:
    given = items("aBcD", "ef")
    ordered = slow_first(given, 1)
    assert ordered == [given[1], given[3], given[0], given[2], *given[4:]]
    assert slow_first([], 2) == []
