"""The order of tests: what takes long comes first, shared out among the workers."""

from collections.abc import Sequence
from itertools import groupby

import pytest


def slow_first(items: Sequence[pytest.Item], n_workers: int) -> list[pytest.Item]:
    """Order tests so that each worker gets a share of the slow files first, then of the others.

    pytest-xdist cuts the list into as many runs of equal length as there are workers, and lets
    whoever is done take from the end of another's run.

    Args:
        items: in the order of their files.
        n_workers: at least 1.

    Returns:
        the same tests; those of a file stay together, slow ones apart from the others.
    """
    slow = [item for item in items if item.get_closest_marker("slow")]
    quick = [item for item in items if not item.get_closest_marker("slow")]
    shares: list[list[pytest.Item]] = [[] for _ in range(n_workers)]
    for number, (_, of_file) in enumerate(groupby(slow, key=lambda item: item.path)):
        shares[number % n_workers].extend(of_file)
    ordered: list[pytest.Item] = []
    for number, share in enumerate(shares):
        # A run's end is where the next worker begins.
        end = len(items) * (number + 1) // n_workers
        ordered += share
        n_quick = max(end - len(ordered), 0) if number < n_workers - 1 else len(quick)
        ordered += quick[:n_quick]
        del quick[:n_quick]
    return ordered
